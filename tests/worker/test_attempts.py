"""Of a run each event begins once the host took the one before; what a run does not come to goes back with its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claimed, Followers, Move, Settlement
from worker.partition.launcher import Attempts
from worker.partition.owned_partition import OwnedPartition
from worker.partition.run import Run

Ends = list[tuple[int, Status | Move]]
SAFE_S = 3.0
TAKEN = Status.SUCCEEDED


class Bench:
    """One partition whose attempts end as told, at a time of its own. ``ends``: of each event; later ones are taken."""

    def __init__(self, *ends: Status | Exception, before_the_end: Callable[[int], None] = lambda _: None) -> None:
        self.owned = OwnedPartition(1, 1, now=0.0)
        self.now_s = 0.0
        self.sent: list[Claimed] = []
        self.broken: list[Exception] = []
        self._ends = ends
        self._before_the_end = before_the_end
        self.runs_under_way: list[int] = []
        """As each run ended."""
        self.attempts = Attempts(
            self._deliver,
            lambda _, error: self.broken.append(error),
            lambda: None,
            lambda: self.runs_under_way.append(self.attempts.runs),
            lambda: self.now_s,
            SAFE_S,
        )

    async def run(self, *members: Claimed, unread: int = 0, until: float = 100.0) -> Ends:
        """Of all members, by their place: how each goes on, in the order of the settle."""
        head, *others = members
        followers = Followers(others[: len(others) - unread], others[len(others) - unread :])
        self.owned.begin(head)
        self.owned.line_up(head.claim_id, Run(followers, until))
        assert set(self.owned.running) == {one.claim_id for one in members}
        self.attempts.begin(self.owned, head)
        while self.owned.running:
            await asyncio.sleep(0)
        assert not self.owned.runs
        assert self.owned.claimed_bytes == 0
        assert not any(self.runs_under_way), "each is over when that is told"
        places = {one.event.id: place for place, one in enumerate(members)}
        return [(places[one.event_id], one.to) for one in self.owned.outcomes]

    async def _deliver(self, owned: OwnedPartition, claimed: Claimed) -> Settlement:
        self.sent.append(claimed)
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            return Settlement(claimed, Move.RELEASE)
        place = len(self.sent) - 1
        self._before_the_end(place)
        end = self._ends[place] if place < len(self._ends) else TAKEN
        if isinstance(end, Exception):
            raise end
        return Settlement(claimed, end, account_identifier=f"A-{place}")


def _event(place: int, kind: EventType = EventType.SUBSCRIPTION_CHANGE, installation: str | None = None) -> Claimed:
    event = Event(f"event-{place}", kind, "lane", revision=1, account_id="A", subscription_id=installation)
    return Claimed(event, EventState(Status.QUEUED, created_ms=0), n=1, account_identifier=None, size_bytes=10)


def _events(count: int) -> list[Claimed]:
    return [_event(place) for place in range(count)]


async def test_each_begins_once_the_one_before_was_taken_or_skipped() -> None:
    bench = Bench(TAKEN, Status.SKIPPED, TAKEN)
    assert await bench.run(*_events(3)) == [(0, TAKEN), (1, Status.SKIPPED), (2, TAKEN)]
    assert [one.event.id for one in bench.sent] == ["event-0", "event-1", "event-2"]


@pytest.mark.parametrize(
    "end", [Status.FAILED, Status.DEAD, Status.RETRYING, Status.AWAITING_RESULT, Status.HELD, Status.EXPIRED]
)
async def test_whatever_else_comes_of_one_ends_the_run(end: Status) -> None:
    bench = Bench(TAKEN, end)
    ends = await bench.run(*_events(4))
    assert ends == [(0, TAKEN), (1, end), (2, Move.RELEASE), (3, Move.RELEASE)]
    assert len(bench.sent) == 2


@pytest.mark.parametrize("change", ["late", "lease", "unconfirmed", "leaving", "closed"])
async def test_nothing_follows_too_late_or_in_a_partition_that_may_not_be_ours(change: str) -> None:
    def meanwhile(place: int) -> None:
        if place != 1:
            return
        if change == "late":
            bench.now_s = 1.0
        elif change == "lease":
            bench.now_s = SAFE_S + 0.1
        elif change == "closed":
            bench.owned.closed.set()
        else:
            setattr(bench.owned, change, True)

    bench = Bench(before_the_end=meanwhile)
    ends = await bench.run(*_events(4), until=1.0 if change == "late" else 100.0)
    assert ends == [(0, TAKEN), (1, TAKEN), (2, Move.RELEASE), (3, Move.RELEASE)]


async def test_no_head_begins_under_a_lease_that_has_run_out_and_all_of_its_run_goes_back() -> None:
    bench = Bench()
    bench.now_s = SAFE_S + 0.1
    assert await bench.run(*_events(3)) == [(0, Move.RELEASE), (1, Move.RELEASE), (2, Move.RELEASE)]
    assert not bench.sent


async def test_what_could_not_be_read_goes_back_when_its_turn_comes() -> None:
    bench = Bench()
    assert await bench.run(*_events(4), unread=2) == [(0, TAKEN), (1, TAKEN), (2, Move.RELEASE), (3, Move.RELEASE)]
    assert len(bench.sent) == 2


async def test_stopping_cancels_the_one_that_is_under_way_and_gives_the_others_back() -> None:
    cancelled: list[asyncio.Task[None]] = []

    def cancel(place: int) -> None:
        if place == 1:
            asyncio.get_running_loop().call_soon(lambda: cancelled.extend(bench.owned.cancel()))

    bench = Bench(before_the_end=cancel)
    ends = await bench.run(*_events(4))
    assert ends == [(0, TAKEN), (1, TAKEN), (2, Move.RELEASE), (3, Move.RELEASE)]
    assert len(cancelled) == 1, "a run is one task"


async def test_an_error_of_ours_leaves_nothing_of_the_run_behind() -> None:
    bench = Bench(TAKEN, ValueError("ours"))
    assert await bench.run(*_events(4)) == [(0, TAKEN)]
    assert len(bench.broken) == 1


async def test_the_hosts_name_for_the_account_is_handed_on() -> None:
    bench = Bench()
    order = _event(2, EventType.SUBSCRIPTION_ORDER)
    await bench.run(*_events(2), order, _event(3), _event(4))
    assert [one.account_identifier for one in bench.sent] == [None, "A-0", "A-0", "A-2", "A-2"]


async def test_only_the_store_knows_which_name_an_installation_has_once_it_was_given_another() -> None:
    bench = Bench()
    members = [_event(place, installation="S") for place in range(4)]
    assert (await bench.run(*members))[1:3] == [(1, TAKEN), (2, Move.RELEASE)]
    assert [one.account_identifier for one in bench.sent] == [None, "A-0"]


async def test_what_never_begins_takes_its_followers_along() -> None:
    owned, (head, *others) = OwnedPartition(1, 1, now=0.0), _events(3)
    owned.begin(head)
    owned.line_up(head.claim_id, Run(Followers(others), 1.0))
    owned.drop(head)
    assert (owned.running, owned.runs, owned.claimed_bytes) == ({}, {}, 0)
