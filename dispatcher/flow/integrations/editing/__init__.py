"""Edits of the WORKING version, and publishing it."""
