"""A shipment on its way from a location to a customer."""
