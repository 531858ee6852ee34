"""Writes of records: as JSON, compared and swapped, numbered, sealed, within a reach."""
