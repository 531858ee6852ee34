"""Upkeep of the archive: written, swept, expunged and recounted."""
