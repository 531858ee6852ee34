"""The connection to Redis: scripts, cancellation, durability, time. Knows no key of any room."""
