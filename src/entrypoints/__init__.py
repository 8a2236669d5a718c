"""Where the platform starts: settings, wiring, commands."""
