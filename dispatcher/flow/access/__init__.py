"""API clients: made and changed by those who have the rights themselves."""
