"""How records are written: as JSON, compared and swapped, numbered, sealed, within a reach."""
