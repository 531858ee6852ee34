"""Bounds against overload: what is under way or held at once, and one answer for all who ask the same."""
