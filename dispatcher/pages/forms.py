"""Forms of pages: their fields as they arrive, and the token that binds one to who opened it.

Never decides what a field may hold.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from dispatcher.api.http.request.body import read_body
from dispatcher.errors import InvalidRequest, RequestError
from dispatcher.store.secrets.sealing import Sealer, SealError

FORM = "application/x-www-form-urlencoded"
TOKEN_FIELD = "form"  # noqa: S105 - a name
MAX_FIELDS = 500
_CONTEXT = "pages:form"


@dataclass(frozen=True, slots=True)
class FormToken:
    """Owner of a form. ``once`` names this very copy of it, so that sending it twice can be known."""

    session_id: str
    account_id: str
    user: str
    account: str
    once: str

    @classmethod
    def of(cls, session_id: str, account_id: str, *, user: str, account: str) -> FormToken:
        """``user`` and ``account`` are names, for whoever sends it from another session."""
        return cls(session_id, account_id, user, account, secrets.token_urlsafe(12))

    def sealed(self, sealer: Sealer) -> str:
        return sealer.seal(orjson.dumps(asdict(self)).decode(), _CONTEXT)


@dataclass(frozen=True, slots=True)
class Sent:
    """A form as it was sent. ``once`` names the very copy of it."""

    fields: dict[str, str]
    once: str


def read_token(fields: Mapping[str, str], sealer: Sealer) -> FormToken | None:
    """The token of a form of ours; None for any other."""
    try:
        return FormToken(**orjson.loads(sealer.open(fields.get(TOKEN_FIELD, ""), _CONTEXT)))
    except (SealError, TypeError, ValueError):
        return None


async def read_form(request: web.Request) -> dict[str, str]:
    """Every field, the empty ones too. 400 for anything but a plain form without repeated fields."""
    if request.content_type != FORM:
        raise InvalidRequest.of("invalid_request", f"Send the form as {FORM}.")
    body = await read_body(request)
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise InvalidRequest.of("invalid_request", "The form cannot be read; send it URL-encoded in UTF-8.") from None
    fields = {name: value.replace("\r\n", "\n") for name, value in pairs}
    if len(fields) != len(pairs):
        raise InvalidRequest.of("invalid_request", "A field is repeated; send each one once.")
    return fields


def wrongs(error: RequestError, prefix: str = "") -> dict[str, str]:
    """Words beside each field; under ``""`` those that belong to none. ``prefix``: dropped from fields' names."""
    said: dict[str, str] = {}
    for problem in error.problems:
        name = (problem.field or "").removeprefix(prefix)
        said.setdefault(name, problem.message)
    return said
