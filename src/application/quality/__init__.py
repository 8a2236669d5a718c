"""Checks of the data: what must hold of the tables, each declared once."""
