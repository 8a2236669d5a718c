"""What every aggregate speaks of: refusals, quantities, money."""
