"""Accounts' connectors: deployed, authorized, tried, renewed, taken away."""
