"""The answer to whoever does not prove to be a client. Says why only where that helps no stranger."""

from __future__ import annotations

from dispatcher.errors import Problem, RequestError


def invalid_client(
    text: str = "Client authentication failed; check the client id and the secret, or the key that signs.",
) -> RequestError:
    """The one answer to an unknown client, a wrong secret or signature, and what cannot be read (RFC 6749 §5.2)."""
    return RequestError([Problem("invalid_client", text)], 401, {"WWW-Authenticate": 'Basic realm="dispatcher"'})
