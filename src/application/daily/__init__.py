"""The daily report: what a business day was like, and what was learned of earlier ones."""
