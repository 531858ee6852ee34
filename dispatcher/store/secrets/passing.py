"""Contexts of values that are sealed for minutes only, on their way between processes: nothing seals them again."""

from __future__ import annotations


def trial_value(integration_id: str) -> str:
    """An account's AuthValue on its way to the worker that tries it."""
    return f"integration:{integration_id}:trialValue"


def trial_grant(owner: str) -> str:
    """The tokens that a worker got for a code, on their way back."""
    return f"template:{owner}:trialGrant"
