"""What the long-running commands need in production: health, metrics, retries, structured logs, traces."""
