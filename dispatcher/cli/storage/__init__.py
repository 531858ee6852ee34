"""Verbs that work on the store itself, beside the API."""
