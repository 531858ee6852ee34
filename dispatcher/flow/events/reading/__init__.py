"""Reads events and figures within the reach of a caller, and says why an event is where it is."""
