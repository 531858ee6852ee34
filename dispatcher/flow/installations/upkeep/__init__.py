"""Upkeep of installations: newer revisions, abandoned drafts, what a crash left open, what is to be forgotten."""
