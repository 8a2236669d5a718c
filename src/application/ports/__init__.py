"""What the application needs from the world, in the words of the application."""
