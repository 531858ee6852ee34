"""Signing in by OpenID Connect: somebody else says who a person is, a setting says which role its groups have."""
