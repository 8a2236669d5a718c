"""A customer's order and the fate of each of its lines."""
