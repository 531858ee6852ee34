"""Measurements: each a question, its load and its figures."""
