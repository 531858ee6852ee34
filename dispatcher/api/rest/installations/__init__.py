"""Installed integrations over REST, and what they are installed from."""
