"""Bulk actions: previewed, begun at a pace, followed and stopped."""
