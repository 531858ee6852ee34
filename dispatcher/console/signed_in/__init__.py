"""Whoever is signed in: the session in a cookie, what is noted of it, and the provider that people come from."""
