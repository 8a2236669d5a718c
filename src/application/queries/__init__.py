"""What answers: KPI definitions and the figures they give."""
