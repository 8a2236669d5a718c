"""Sources that change: rows of databases and messages of other systems become commands."""
