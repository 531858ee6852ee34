"""Products: how each is shown, opened and linked to its integration."""
