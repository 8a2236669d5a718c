"""The runner of processes: along the log, each event exactly once, with a checkpoint and cases of their own."""
