"""PostgreSQL: event store, inbox, topic log, read models."""
