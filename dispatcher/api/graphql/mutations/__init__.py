"""Mutations: each stands with its input and its answer, and has a use case do it.

A field left out of an input means unchanged, null means cleared; nothing is checked here but types.
"""
