"""Files: DuckDB reads them, a mapping turns rows into messages."""
