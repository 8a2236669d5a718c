"""Services on the web: weather, routes and places, asked gently and never trusted."""
