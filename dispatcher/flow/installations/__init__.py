"""A customer's way from a one-time link to an installed integration."""
