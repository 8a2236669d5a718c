"""From messages to events: decode, recognise duplicates, decide, append, or quarantine with a reason."""
