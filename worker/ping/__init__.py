"""Ping tests: the steps of a connection, a delivery and its security, each explained."""
