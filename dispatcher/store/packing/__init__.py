"""Contents of events in few bytes. Knows nothing of Redis."""
