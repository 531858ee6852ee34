"""Definitions kept in memory, and dropped when another process changed them."""
