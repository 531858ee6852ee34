"""Guarded connections to hosts, proxies and token endpoints."""
