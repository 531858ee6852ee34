"""Installed things: records, effects that wait for the queue, walks over them, and what remains."""
