"""Pace: when the next attempt is due, how many run at once, and what holds them back."""
