"""A route is data: method, path, handler, and the scopes of which a caller needs one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web
from pydantic import BaseModel

from dispatcher.model.access import Caller, Scope

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CALLER = web.RequestKey("caller", Caller)
"""Set by the access middleware on every request whose route is not public."""


@dataclass(frozen=True, slots=True)
class Admission:
    """The admission to one route, to be renewed while a request goes on.

    ``renewed`` sets ``CALLER`` anew, or raises ``RequestError``. It costs microseconds, but for one look-up every few
    seconds. It is handed the request, which must not hold what holds it: such a cycle costs an accept a third more.
    """

    renewed: Callable[[web.Request], Awaitable[None]]


ADMISSION = web.RequestKey("admission", Admission)
"""Set on every GET whose route is not public: only reading goes on for long."""

ENDS_WITH_CALLER = web.RequestKey("ends_with_caller", bool)
"""Set where nothing is changed: the request is given up as soon as its connection is lost."""


@dataclass(frozen=True, slots=True)
class Route:
    """``scopes`` None = public. ``body`` and ``answers`` feed the OpenAPI document."""

    method: str
    path: str
    handler: Handler
    scopes: tuple[Scope, ...] | None
    summary: str
    body: type[BaseModel] | None = None
    answers: dict[int, type[BaseModel] | None] = field(default_factory=dict)
    tag: str = "events"
    vendors: bool = False
    """Open to clients of one vendor, since its handler stays within what is theirs. Any other refuses them."""
    bearers: bool = False
    """Open to the one-time bearer of the installation in its path as well."""
    partners: bool = False
    """The same for clients of some marketplaces; with a token for one account they may call what an account may."""
    outlives_store: bool = False
    """Open, while the store is away, to whoever was let in with the same token before."""
    reads_much: bool = False
    """A GET that takes a turn: so many at a time, and of one client or vendor (``http/overload/turns.py``)."""
    changes: bool = False
    """Takes a turn of changes, unless it only reads: of what many change at once each then has its way."""
    asking: tuple[str, tuple[Scope, ...]] | None = None
    """Public, but with that query parameter in need of one of these scopes."""
    body_optional: bool = False
    """A request without a body asks for what one with no field does."""
    other_bodies: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    """By media type, what it takes besides JSON of ``body``."""
