"""Whether a text can be the key of ``private_key_jwt``, told while somebody is there to mend it. Keeps nothing."""

from __future__ import annotations

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dispatcher.errors import Problem, RequestError
from dispatcher.policy.strict_json import read_object

MAX_KEY_CHARS = 16_384
_KINDS = frozenset({"RSA", "EC", "OKP"})


def private_key_problem(text: str, field: str) -> Problem | None:
    """Neither an unencrypted PEM nor a private JWK (RFC 7517): the problem repeats nothing of the text."""
    readable = len(text) <= MAX_KEY_CHARS and (_is_jwk(text) if text.lstrip().startswith("{") else _is_pem(text))
    if readable:
        return None
    return Problem("invalid_private_key", "Give an unencrypted private key as PEM, or a private JWK.", field)


def _is_jwk(text: str) -> bool:
    try:
        fields = read_object(text.encode("utf-8", "surrogatepass"))
    except RequestError:
        return False
    return fields.get("kty") in _KINDS and isinstance(fields.get("d"), str)


def _is_pem(text: str) -> bool:
    try:
        load_pem_private_key(text.encode("utf-8", "surrogatepass"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True
