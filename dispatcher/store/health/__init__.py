"""Examines the store: permissions, memory, losses, signs of life."""
