"""The outside world, one package a technology."""
