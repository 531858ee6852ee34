"""Customers' side: installations, their accounts, and the marketplaces and connector templates behind them."""
