"""Credentials between an integration and its host: the signing secret, and the host as a client of ours."""
