"""Everything that publishers do with an integration, and all that follows from it."""
