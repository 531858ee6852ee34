"""Form fields and credentials that a client sends to an OAuth2 endpoint. Never decides whether they are right."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_plus

from aiohttp import hdrs, web

from dispatcher.api.http.body import read_body
from dispatcher.errors import InvalidRequest, Problem, RequestError

FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 32


@dataclass(frozen=True, slots=True)
class Presented:
    """Readings of id and secret: RFC 6749 §2.3.1 encodes them in Basic, many clients do not."""

    fields: dict[str, str]
    client_ids: tuple[str, ...]
    secrets: tuple[str, ...]


def invalid_client() -> RequestError:
    """The one answer to an unknown client, a wrong secret and credentials that cannot be read (RFC 6749 §5.2)."""
    text = "Client authentication failed; check the client id and the secret."
    return RequestError([Problem("invalid_client", text)], 401, {"WWW-Authenticate": 'Basic realm="dispatcher"'})


async def read_form(request: web.Request) -> Presented:
    """Fields and credentials. 400 for anything but a plain form without repeated fields (RFC 6749 §3.2)."""
    fields = await read_fields(request)
    authorization = request.headers.getall(hdrs.AUTHORIZATION, [])
    if not authorization:
        return Presented(fields, _given(fields, "client_id"), _given(fields, "client_secret"))
    if len(authorization) > 1 or "client_secret" in fields:
        raise InvalidRequest.of("invalid_request", "Authenticate in one way only: in the header or in the form.")
    client_ids, secrets = _basic(authorization[0])
    named = _given(fields, "client_id")
    if not set(named) <= set(client_ids):
        raise InvalidRequest.of("invalid_request", "The header and the form name two different clients.")
    return Presented(fields, named or client_ids, secrets)


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
