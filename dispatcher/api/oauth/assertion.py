"""Assertions by which a client proves that it has its private key (RFC 7523 §3). Verifies; remembers nothing.

What is wrong with one is told only to whoever signed it with the client's key.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError, SecurityWarning

from dispatcher.api.oauth.refusal import invalid_client
from dispatcher.errors import RequestError
from dispatcher.policy.secrets.client_key import read_client_key
from dispatcher.policy.strict_json import read_object

MAX_LIFETIME_S = 3600
"""From now to ``exp``: so long its ``jti`` has to be remembered. authlib's clients take an hour."""
LEEWAY_S = 60
"""That much the clocks of both sides may differ."""
_MAX_ID_CHARS = 255


@dataclass(frozen=True, slots=True)
class Assertion:
    """A verified one. ``use``: names it, so that it is good once; ``remembered_s``: how long that matters."""

    use: str
    remembered_s: int


def verified(text: str, client_id: str, public_key: str, audiences: Collection[str], now_s: float) -> Assertion:
    """``text`` as an assertion of that client. Raises a 401 ``RequestError`` for any other."""
    key = read_client_key(public_key)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # of the older name of Ed25519, which clients still send
            claims = jwt.decode(text, key.key, list(key.algorithms)).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise invalid_client() from None
    for check in (_named(client_id), _addressed(audiences), _timely(now_s), _unique):
        if problem := check(claims):
            raise invalid_client(f"The client_assertion is signed rightly, but {problem}.")
    use = hashlib.sha256(f"{client_id}\n{claims['jti']}".encode("utf-8", "surrogatepass")).hexdigest()
    return Assertion(f"assertion:{use}", int(claims["exp"] - now_s) + LEEWAY_S + 1)


def used_before() -> RequestError:
    """The answer to an assertion that has been here (RFC 7523 §3, ``jti``)."""
    return invalid_client("The client_assertion was used before: sign one with a new jti for each request.")


def claimed_client(text: str) -> str | None:
    """The client that an assertion says it is of, unverified; None where it says nothing that can be read."""
    try:
        subject = read_object(jws.extract_compact(text.encode()).payload).get("sub")
    except (JoseError, RequestError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return subject if isinstance(subject, str) and 0 < len(subject) <= _MAX_ID_CHARS else None


_Check = Callable[[Mapping[str, Any]], str | None]


def _named(client_id: str) -> _Check:
    """RFC 7523 §3: both are the client's id."""

    def check(claims: Mapping[str, Any]) -> str | None:
        wrong = [name for name in ("iss", "sub") if claims.get(name) != client_id]
        return f"its {wrong[0]} is not the client's id" if wrong else None

    return check


def _addressed(audiences: Collection[str]) -> _Check:
    def check(claims: Mapping[str, Any]) -> str | None:
        given = claims.get("aud")
        named = given if isinstance(given, list) else [given]
        if any(isinstance(one, str) and one in audiences for one in named):
            return None
        return f"its aud names none of {', '.join(sorted(audiences))}"

    return check


def _timely(now_s: float) -> _Check:
    """Written so that what compares with nothing (NaN) is refused."""

    def check(claims: Mapping[str, Any]) -> str | None:
        for name in ("exp", "nbf", "iat"):
            if (name == "exp" or name in claims) and not _is_number(claims.get(name)):
                return f"its {name} is not a number of seconds"
        if not now_s - LEEWAY_S < claims["exp"]:
            return "its exp has passed"
        if not claims["exp"] <= now_s + MAX_LIFETIME_S + LEEWAY_S:
            return f"its exp is more than {MAX_LIFETIME_S} s away"
        early = [name for name in ("nbf", "iat") if not claims.get(name, now_s) <= now_s + LEEWAY_S]
        return f"its {early[0]} lies in the future" if early else None

    return check


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unique(claims: Mapping[str, Any]) -> str | None:
    given = claims.get("jti")
    if isinstance(given, str) and 0 < len(given) <= _MAX_ID_CHARS:
        return None
    return f"it has no jti of 1 to {_MAX_ID_CHARS} characters"
