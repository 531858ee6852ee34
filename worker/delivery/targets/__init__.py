"""Targets: to whom a notification goes and with what, opened once for each revision, and found for an event."""
