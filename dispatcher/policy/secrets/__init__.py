"""Secrets: keys and certificates that others chose, where a secret may go, and what hides it."""
