"""Integrations, their revisions, products, pings and what is due for them."""
