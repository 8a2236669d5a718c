"""Everything in process, for unit tests and short runs."""
