"""Marketplaces, and the ways in: one-time links, and people with a password."""
