"""Watches the whole queue: changes as they happen, totals, troubles, what is due, and recounts."""
