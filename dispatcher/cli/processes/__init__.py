"""Processes of a deployment: how each starts, listens and ends."""
