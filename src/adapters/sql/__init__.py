"""Databases that SQLAlchemy reaches, as sources."""
