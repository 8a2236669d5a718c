"""Real servers for the tests, on free loopback ports: with Docker where an engine answers, otherwise natively."""
