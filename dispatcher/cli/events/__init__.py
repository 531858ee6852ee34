"""Verbs about events: emit, list, explain, follow, act."""
