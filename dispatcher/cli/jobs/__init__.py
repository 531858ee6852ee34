"""Verbs that act on events, one by one or all that meet conditions."""
