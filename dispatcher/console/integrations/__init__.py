"""Integrations for those who own and operate them: state, URLs, credentials, keys, revisions, ping tests, limits."""
