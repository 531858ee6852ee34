"""Watches what the API stands on while it runs: the store, and the verdict."""
