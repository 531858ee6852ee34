"""Holds on an integration's events: pauses, suspended URLs, locks of accounts. Never acts on one event."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.model.effect import LockChange
from dispatcher.model.queue import UNSAID, Pause
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.partitioned import Partitioned
from dispatcher.store.queue.records import pause_record, text
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Argument, reply_of, script

RESUMED_AT_ONCE = 500
"""Parked events that one script lets go: some 5 ms of Redis."""

_HOLD = script("queue/hold")
_LOCK = script("queue/lock")


class LaneHolds(Partitioned):
    """All partitions of one store. Raises ``StoreUnavailable`` when Redis did not answer."""

    async def pause(self, integration_id: str, pause: Pause = UNSAID) -> None:
        """Hold everything of one integration back, at most until the pause ends; accepting goes on.

        One that is paused stays so since when it was, with what is said of it now.
        """
        until = "" if pause.until_ms is None else pause.until_ms
        await self._hold(integration_id, "pause", pause_record(pause), until)

    async def resume(self, integration_id: str, left_behind: Sequence[str] = ()) -> int:
        """Let it go on, suspended URLs included. Returns how many parked events are due again.

        ``left_behind``: URLs that are published no more; what is for them goes to the published one. In slices, so that
        a million of them keep nobody waiting. What this leaves behind is let go by ``repair``.
        """
        return await self._release(integration_id, "resume", left_behind, ())

    async def enable_urls(self, integration_id: str, left_behind: Sequence[str], enabled: Sequence[str]) -> int:
        """As ``resume``, but a pause stays, and so do all suspended URLs but those that are named."""
        return await self._release(integration_id, "enable", left_behind, enabled)

    async def credentials_failing_since(self, integration_id: str) -> int | None:
        """Since when no token can be had for its events, epoch ms; None = as far as is known, one can."""
        lane = keys.lane(self.partition_of(integration_id), integration_id)
        with guarded():
            since: bytes | None = await self._client.hget(lane, "failing")  # type: ignore[misc]
        return int(since) if since else None

    async def suspend_url(self, integration_id: str, url: str) -> None:
        """Park what would go to a URL that answered 410 Gone."""
        await self._hold(integration_id, "suspend", url)

    async def url_answered(self, integration_id: str, url: str) -> None:
        """Let all that is for an enabled URL go there: it gave another answer than 410 Gone."""
        await self._hold(integration_id, "answered", url)

    async def disable(self, integration_id: str, failing_since_ms: int) -> bool:
        """Hold everything of one integration back that has failed since then; False when it does not, or is held so."""
        moved, _, _ = await self._hold(integration_id, "disable", failing_since_ms)
        return moved == 1

    async def lock(self, change: LockChange) -> int:
        """Hold the events of one account in one integration back, or let them go; returns how many hold them now."""
        how = "lock" if change.locked else "unlock"
        arguments = (change.integration_id, change.account_id, change.holder, change.number, how)
        own = keys.own(self.partition_of(change.integration_id))
        return int(await reply_of(self._client, _LOCK.call([own], *arguments)))

    async def suspended_urls(self, integration_id: str) -> dict[str, int]:
        """URLs of the integration that nothing is sent to after 410 Gone, and since when (epoch ms)."""
        key = keys.suspended_urls(self.partition_of(integration_id), integration_id)
        with guarded():
            found: dict[bytes, bytes] = await self._client.hgetall(key)  # type: ignore[misc]
        return {url.decode(): int(since) for url, since in found.items()}

    async def holders(self, integration_id: str, account_id: str) -> list[str]:
        """Everybody who holds the events of the account in the integration back."""
        name = keys.lock(self.partition_of(integration_id), integration_id, account_id)
        with guarded():
            found: dict[bytes, bytes] = await self._client.hgetall(name)  # type: ignore[misc]
        return [holder.decode() for holder, number in found.items() if int(number) > 0]

    async def _release(self, integration_id: str, how: str, left_behind: Sequence[str], enabled: Sequence[str]) -> int:
        urls = ("\n".join(left_behind), "\n".join(enabled))
        total, moment, left = 0, "", 1
        while left:
            moved, moment, left = await self._hold(integration_id, how, RESUMED_AT_ONCE, moment, *urls)
            total += moved
        return total

    async def _hold(self, integration_id: str, *how: Argument) -> tuple[int, str, int]:
        """Events that became due, the moment until which parked ones do, and how many of these are left."""
        own = keys.own(self.partition_of(integration_id))
        moved, moment, left = await reply_of(self._client, _HOLD.call([own], integration_id, *how, "", ""))
        return int(moved), text(moment), int(left)
