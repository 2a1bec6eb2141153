"""rare."""
