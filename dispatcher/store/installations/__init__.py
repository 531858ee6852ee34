"""Marketplaces, connector templates, accounts with their users, sessions and connectors, and what is installed."""
