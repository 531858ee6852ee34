"""Sealing at rest, and the keys and tokens that are kept sealed."""
