"""Bounds of what one request may cost: to read, to check, to run."""
