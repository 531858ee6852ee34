"""Mutations: each takes an input, has a use case do it, and answers with a payload."""
