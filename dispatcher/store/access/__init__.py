"""API clients and their rate limits."""
