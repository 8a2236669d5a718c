"""What can be said of weather, routes and places without asking anybody."""
