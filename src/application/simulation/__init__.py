"""A made-up supply chain whose messages hang together, deterministic by seed."""
