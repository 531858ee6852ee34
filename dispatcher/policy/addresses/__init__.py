"""Addresses and URLs: which may be sent to, how properties fill them, judged by text alone."""
