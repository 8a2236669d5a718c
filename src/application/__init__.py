"""What the platform does with the domain: ingest, project, replay, answer; ports say what it needs."""
