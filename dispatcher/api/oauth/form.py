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
    """``secrets`` holds the readings of the secret: RFC 6749 §2.3.1 encodes it in Basic, many clients do not."""

    fields: dict[str, str]
    client_id: str | None
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
        secret = fields.get("client_secret")
        return Presented(fields, fields.get("client_id"), (secret,) if secret else ())
    if len(authorization) > 1 or "client_secret" in fields:
        raise InvalidRequest.of("invalid_request", "Authenticate in one way only: in the header or in the form.")
    client_id, secrets = _basic(authorization[0])
    if fields.get("client_id", client_id) != client_id:
        raise InvalidRequest.of("invalid_request", "The header and the form name two different clients.")
    return Presented(fields, client_id, secrets)


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


def _basic(authorization: str) -> tuple[str, tuple[str, ...]]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = decoded.partition(":")
        readings = dict.fromkeys((unquote_plus(secret, errors="strict"), secret))
        plain_id = unquote_plus(client_id, errors="strict")
    except (binascii.Error, ValueError):
        raise invalid_client() from None
    if scheme.lower() != "basic" or not colon or not client_id:
        raise invalid_client()
    return plain_id, tuple(readings)
