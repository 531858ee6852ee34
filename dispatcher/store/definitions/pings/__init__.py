"""Ping tests: their history, how they are handed to workers, and credentials on trial."""
