"""Verbs of publishers: what they do with integrations, without GraphQL."""
