"""Notes who is signed in, from where, and ends sessions wherever their cookies may be. Lets nobody in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import hdrs, web

from dispatcher.api.http.origin import address_of
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.services import SERVICES
from dispatcher.console.session import ConsoleSession
from dispatcher.pages.session import Life
from dispatcher.store.access.console_sessions import MOST, ConsoleSessionStore, SessionRecord

CONSOLE_SESSIONS = web.AppKey("console_sessions", ConsoleSessionStore)
MAX_AGENT_CHARS = 200


async def note(request: web.Request, session: ConsoleSession) -> None:
    """That the session is in use, now and from here."""
    address = address_of(request, request.app[SERVICES].deployment.trusted_proxies)
    agent = request.headers.get(hdrs.USER_AGENT, "")[:MAX_AGENT_CHARS]
    record = SessionRecord(
        id=session.id,
        client_id=session.client_id,
        stamp=session.stamp,
        name=session.name,
        since_s=session.since_s,
        seen_s=session.seen_s,
        address=address or "",
        agent="".join(char for char in agent if char.isprintable()),
    )
    await request.app[CONSOLE_SESSIONS].note(record)


async def tidy(request: web.Request, life: Life) -> None:
    """Forget sessions that ended by themselves. With more than are kept, end those that nobody used for longest."""
    kept = request.app[CONSOLE_SESSIONS]
    now_s = request.app[SERVICES].clock()
    records = await kept.all()
    good = [one for one in records if is_good(one, life, now_s)]
    await end(request, [one.id for one in good[MOST:]])
    await kept.forget(one.id for one in records if not is_good(one, life, now_s))


async def end(request: web.Request, session_ids: Sequence[str]) -> None:
    """Refuse them from now on, in every process."""
    revoked, lifetime_s = request.app[OAUTH].revoked, request.app[SERVICES].deployment.session_lifetime_s
    await asyncio.gather(*(revoked.add(one, int(lifetime_s)) for one in session_ids))
    await request.app[CONSOLE_SESSIONS].forget(session_ids)


def is_good(record: SessionRecord, life: Life, now_s: float) -> bool:
    """True for one that has not ended by itself. The record may be a minute older than the session's cookie."""
    return now_s - record.seen_s < life.idle_s and now_s - record.since_s < life.whole_s
