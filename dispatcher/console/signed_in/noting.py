"""Notes who is signed in, from where, and ends sessions wherever their cookies may be. Lets nobody in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import hdrs, web

from dispatcher.api.deployment import Deployment
from dispatcher.api.http.request.origin import address_of
from dispatcher.api.oauth.routes import OAUTH
from dispatcher.api.services import SERVICES
from dispatcher.console.signed_in.session import ConsoleSession, life_of
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
        role=session.role,
        since_s=session.since_s,
        seen_s=session.seen_s,
        address=address or "",
        agent="".join(char for char in agent if char.isprintable()),
    )
    await request.app[CONSOLE_SESSIONS].note(record)


async def tidy(request: web.Request) -> None:
    """Forget sessions that ended by themselves. With more than are kept, end those that nobody used for longest."""
    kept, services = request.app[CONSOLE_SESSIONS], request.app[SERVICES]
    records = await kept.all()
    over = {one.id for one in records if not is_good(one, services.deployment, services.clock())}
    await end(request, [one.id for one in records if one.id not in over][MOST:])
    await kept.forget(over)


async def end(request: web.Request, session_ids: Sequence[str]) -> None:
    """Refuse them from now on, in every process."""
    revoked, lifetime_s = request.app[OAUTH].revoked, request.app[SERVICES].deployment.session_lifetime_s
    await asyncio.gather(*(revoked.add(one, int(lifetime_s)) for one in session_ids))
    await request.app[CONSOLE_SESSIONS].forget(session_ids)


def is_good(record: SessionRecord, deployment: Deployment, now_s: float) -> bool:
    """True for one that has not ended by itself."""
    life = life_of(deployment, record.client_id)
    return now_s - record.seen_s < life.idle_s and now_s - record.since_s < life.whole_s
