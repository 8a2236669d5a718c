"""The reference data that orders, shipments and stock speak of."""
