"""Redis: a cache that processes share."""
