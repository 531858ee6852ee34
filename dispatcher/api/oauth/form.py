"""Form fields and credentials that a client sends to an OAuth2 endpoint. Never decides whether they are right."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import hdrs, web

from dispatcher.api.http.request.body import read_body
from dispatcher.api.http.request.parameters import ASSERTION_TYPE
from dispatcher.api.oauth.assertion import claimed_client
from dispatcher.api.oauth.refusal import invalid_client
from dispatcher.errors import InvalidRequest

FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 32
_MAX_ASSERTION_CHARS = 8192
_OWN = frozenset({"client_secret", "client_assertion"})
"""Fields of a form that authenticate its client."""


@dataclass(frozen=True, slots=True)
class Presented:
    """Readings of id and secret: RFC 6749 §2.3.1 encodes them in Basic, many clients do not.

    With an ``assertion`` there is no secret; the id is the one that it names, not verified.
    """

    fields: dict[str, str]
    client_ids: tuple[str, ...]
    secrets: tuple[str, ...]
    assertion: str | None = None


async def read_form(request: web.Request) -> Presented:
    """Fields and credentials. 400 for anything but a plain form without repeated fields (RFC 6749 §3.2)."""
    fields = await read_fields(request)
    authorization = request.headers.getall(hdrs.AUTHORIZATION, [])
    if len(authorization) == 1 and not _OWN.isdisjoint(fields) and authorization[0][:7].lower() == "bearer ":
        authorization = []  # an access token authenticates no client (RFC 6749 §2.3), and many send it everywhere
    if "client_assertion" in fields or "client_assertion_type" in fields:
        return _asserted(fields, authorization)
    if not authorization:
        return Presented(fields, _given(fields, "client_id"), _given(fields, "client_secret"))
    if len(authorization) > 1 or "client_secret" in fields:
        raise InvalidRequest.of("invalid_request", "Authenticate in one way only: in the header or in the form.")
    client_ids, secrets = _basic(authorization[0])
    named = _given(fields, "client_id")
    if not set(named) <= set(client_ids):
        raise InvalidRequest.of("invalid_request", "The header and the form name two different clients.")
    return Presented(fields, named or client_ids, secrets)


def _asserted(fields: dict[str, str], authorization: list[str]) -> Presented:
    if authorization or "client_secret" in fields:
        raise InvalidRequest.of("invalid_request", "Authenticate in one way only: by a secret or by an assertion.")
    if fields.get("client_assertion_type") != ASSERTION_TYPE:
        raise InvalidRequest.of("invalid_request", f"The client_assertion_type that is taken is {ASSERTION_TYPE}.")
    assertion = fields.get("client_assertion", "")
    if not 0 < len(assertion) <= _MAX_ASSERTION_CHARS:
        text = f"Give client_assertion: a signed JWT of at most {_MAX_ASSERTION_CHARS} characters."
        raise InvalidRequest.of("invalid_request", text)
    claimed = claimed_client(assertion)
    if claimed is None:
        raise invalid_client()
    if fields.get("client_id", claimed) != claimed:
        raise InvalidRequest.of("invalid_request", "The assertion and the form name two different clients.")
    return Presented(fields, (claimed,), (), assertion)


async def read_fields(request: web.Request) -> dict[str, str]:
    """The fields that are not empty. 400 for anything but a plain form without repeated ones."""
    if request.content_type != FORM:
        raise InvalidRequest.of("invalid_request", f"Send the parameters as {FORM}.")
    return _fields(await read_body(request))


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequest.of("invalid_request", "The form cannot be read; send it URL-encoded in UTF-8.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest.of("invalid_request", "A parameter is repeated; send each one once.")
    return {name: value for name, value in fields.items() if value}


def _given(fields: dict[str, str], name: str) -> tuple[str, ...]:
    return (fields[name],) if name in fields else ()


def _basic(authorization: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The readings of the id and of the secret."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = _text(base64.b64decode(encoded.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise invalid_client() from None
    client_id, colon, secret = decoded.partition(":")
    if scheme.lower() != "basic" or not colon or not client_id:
        raise invalid_client()
    return _readings(client_id), _readings(secret)


def _text(given: bytes) -> str:
    """UTF-8, or Latin-1 as older clients send (RFC 7617 §2 leaves it open)."""
    try:
        return given.decode()
    except UnicodeDecodeError:
        return given.decode("latin-1")


def _readings(given: str) -> tuple[str, ...]:
    """The form-encoded reading, where there is one, and the raw one; each once."""
    try:
        return tuple(dict.fromkeys((unquote_plus(given, errors="strict"), given)))
    except UnicodeDecodeError:
        return (given,)
