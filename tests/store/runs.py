"""A worker that claims runs by hand, and settles them by their place."""

from __future__ import annotations

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claim, Claimed, Move, Settlement
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.events import event_of
from tests.store.desk import HOME, LANE, PARTITIONS, Desk

URL = "https://host.test/x"


class Runs:
    """A desk whose worker claims runs, and the longest run of its last claim."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.members: list[Claimed] = []

    async def emit(self, count: int, account: str = "A", **more: object) -> list[str]:
        events = [event_of(LANE, PARTITIONS, account, **more) for _ in range(count)]  # type: ignore[arg-type]
        await self.desk.queue.accept(events)
        return [event.id for event in events]

    async def claim(self, at_most: int = 100) -> list[list[str]]:
        """Ids of each run, the longest first, each from its head on; an event that nothing follows is alone."""
        claim = await self.desk.claim(at_most)
        runs = [run_of(claim, head) for head in claim.events]
        self.members = max(runs, key=len, default=self.members)
        return sorted(([one.event.id for one in run] for run in runs), key=len, reverse=True)

    async def settle(self, *ends: tuple[int, Status | Move]) -> int:
        """These of the last run, by their place in it, in one call."""
        wanted = [_settlement(self.members[place], to) for place, to in ends]
        return await self.desk.worker.settle(HOME, wanted)

    async def lane(self) -> list[int]:
        """Counts of it: busy, and behind."""
        fields = await self.desk.client.hmget(f"{{p{HOME}}}:l:{LANE}", ["busy", "behind"])  # type: ignore[misc]
        return [int(field or 0) for field in fields]

    async def assert_nothing_is_left(self) -> None:
        assert await self.claim() == []
        assert await self.lane() == [0, 0]
        assert await self.desk.client.hlen(f"{{p{HOME}}}:flight") == 0  # type: ignore[misc]
        await self.assert_well()

    async def assert_well(self) -> None:
        await self.desk.assert_well()
        assert await self.desk.store.repair_lanes([HOME]) == {}
        assert (await self.desk.store.repair({HOME: REPAIR_START}))[HOME][1] == 0


def run_of(claim: Claim, head: Claimed) -> list[Claimed]:
    followers = claim.followers.get(head.claim_id)
    return [head, *(followers.events if followers else ())]


def _settlement(claimed: Claimed, to: Status | Move) -> Settlement:
    attempt = None if isinstance(to, Move) else Attempt(claimed.n, 1, 1.0, URL, Outcome.OK)
    return Settlement(claimed, to, attempt=attempt)
