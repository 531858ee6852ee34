"""Use cases, one per file: what the product does, between its surfaces and its store."""
