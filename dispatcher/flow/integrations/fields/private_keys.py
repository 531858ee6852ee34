"""Refuses keys that ``private_key_jwt`` cannot sign with as soon as they are given. Keeps nothing."""

from __future__ import annotations

import warnings

from joserfc.errors import SecurityWarning
from joserfc.jwk import RSAKey

from dispatcher.errors import Problem
from dispatcher.policy.secrets.assertion_key import KeyUnreadable, read_assertion_key
from dispatcher.policy.secrets.private_keys import MIN_RSA_BITS


def private_key_problem(text: str, field: str) -> Problem | None:
    """The reason that a worker could not sign with it. Repeats nothing of the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of short keys, which get an answer instead
            key = read_assertion_key(text).key
        if isinstance(key, RSAKey) and key.raw_value.key_size < MIN_RSA_BITS:
            raise KeyUnreadable(f"give an RSA key of {MIN_RSA_BITS} bits or more")
    except KeyUnreadable as error:
        return Problem("invalid_private_key", f"This key cannot be used: {error}, unencrypted.", field)
    return None
