"""Answers: JSON, errors in the form of each surface, entity tags, and what is said while the store is away."""
