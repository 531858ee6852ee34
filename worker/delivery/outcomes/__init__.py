"""Outcomes of an attempt, or of none: the failure in words, when the next attempt is due, the line in the log."""
