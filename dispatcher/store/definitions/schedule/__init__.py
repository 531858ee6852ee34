"""Things that are due for an integration at a time."""
