"""How a command is asked to end."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, taken like Ctrl-C: what runs is cancelled, what was opened is closed."""
