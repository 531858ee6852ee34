"""Ping tests: asked for, scheduled, credentials tried."""
