"""Seals again what needs an older key, over all rooms that hold sealed values."""
