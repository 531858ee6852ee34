"""Bulk jobs over REST."""
