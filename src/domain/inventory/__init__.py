"""The stock of one product at one location."""
