"""Parties: marketplaces, connector templates, accounts with their users, sessions and connectors."""
