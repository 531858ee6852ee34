"""Any order of accepts, claims, losses, take-overs, results and pauses leaves every event in exactly one place.

The model says what a partition holds; the scripts on a real server are held to it after every step.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dispatcher.errors import Conflict
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.status import COMPLETE, FAILURES, TERMINAL, Status
from dispatcher.store.claim_reply import read_claim
from dispatcher.store.partition import MEND_START, Claimed, LaneSetting, Move, Settlement
from tests.property.on_server import OnServer
from tests.property.queue_model import ACCOUNTS, ENDINGS, FIRST_CAP, LANES, URL, QueueModel, Tracked

LANE, ACCOUNT, AT_MOST = st.sampled_from(LANES), st.sampled_from(ACCOUNTS), st.integers(1, 8)
ENDING = st.sampled_from(ENDINGS)


class QueueMachine(OnServer):
    """One partition, two lanes, two accounts and events without one; one owner at a time, each with its generation."""

    def __init__(self) -> None:
        super().__init__()
        self.model = QueueModel()
        self.held: dict[str, Claimed] = {}
        self.late: list[Claimed] = []
        self.unsure = False
        self.generation = self.owner = 0

    @initialize()
    def take_up(self) -> None:
        self.run(self.redis.flushall())
        self._own_anew()

    @rule(lane=LANE, accounts=st.lists(ACCOUNT, min_size=1, max_size=6))
    def accept(self, lane: str, accounts: list[str | None]) -> None:
        for account in accounts:
            event = self.model.new_event(lane, account)
            assert not self.run(self.queue.accept([event]))[0].replayed
            self.model.admitted(event, "accepted")

    @rule(places=st.lists(st.tuples(LANE, ACCOUNT), min_size=2, max_size=8))
    def accept_together(self, places: list[tuple[str, str | None]]) -> None:
        events = []
        for lane, account in places:
            events.append(self.model.new_event(lane, account))
            self.model.admitted(events[-1], "accepted")
        assert not any(receipt.replayed for receipt in self.run(self.queue.accept(events)))

    @precondition(lambda self: not self.unsure)
    @rule(at_most=AT_MOST)
    def claim(self, at_most: int) -> None:
        for claimed in self._claim(at_most):
            if claimed.event.id in self.held:  # concluded from outside, redelivered, and now claimed once more
                self.late.append(self.held[claimed.event.id])
            self.held[claimed.event.id] = claimed

    @precondition(lambda self: not self.unsure)
    @rule(data=st.data(), lane=LANE, accounts=st.lists(ACCOUNT, min_size=1, max_size=6))
    def work(self, data: st.DataObject, lane: str, accounts: list[str | None]) -> None:
        """What goes on most of the time: accept, claim, settle."""
        self.accept(lane, accounts)
        self.claim(8)
        for _ in range(len(self.held)):
            self.settle(data, data.draw(ENDING), data.draw(st.booleans()), data.draw(st.booleans()))

    @precondition(lambda self: not self.unsure)
    @rule(at_most=AT_MOST)
    def claim_and_lose_the_reply(self, at_most: int) -> None:
        self._claim(at_most)
        self.unsure = True

    @rule()
    def come_back(self) -> None:
        handles = [claimed.handle for claimed in self.held.values()]
        assert self.run(self.store.own(0, self.generation, f"w{self.owner}", handles))
        known_claims = {i: one for i, one in self.held.items() if self._in_flight(i, one)}
        self.late += [one for i, one in self.held.items() if i not in known_claims]
        for event_id, known in self.model.events.items():
            if known.place == "flight" and event_id not in known_claims:
                known.place = "due"
        self.held = known_claims
        self.unsure = False

    @precondition(lambda self: self.held)
    @rule(data=st.data(), ending=ENDING, told=st.booleans(), reply_lost=st.booleans())
    def settle(self, data: st.DataObject, ending: tuple[Status | Move, int], told: bool, reply_lost: bool) -> None:
        event_id = data.draw(st.sampled_from(sorted(self.held)))
        known, claimed, (to, delay_ms) = self.model.events[event_id], self.held.pop(event_id), ending
        notice = self.model.new_event(known.event.integration_id, known.event.account_id, EventType.SUBSCRIPTION_STATUS)
        attempt = None if isinstance(to, Move) else Attempt(claimed.n, 1, 1.0, URL, Outcome.OK)
        told = told and to in TERMINAL
        wanted = Settlement(claimed, to, delay_ms, attempt, notification=notice if told else None)
        counts = known.place == "flight"
        assert self._settle(wanted) == int(counts)
        if reply_lost:
            assert self._settle(wanted) == 0
        if not counts:
            return
        if wanted.notification:
            self.model.admitted(notice, "notified")
        self.model.settled(known, to, delay_ms)

    @precondition(lambda self: len(self.held) > 1)
    @rule(endings=st.lists(st.tuples(ENDING, st.booleans()), min_size=2, max_size=8))
    def settle_together(self, endings: list[tuple[tuple[Status | Move, int], bool]]) -> None:
        """What one call reads was not written by it before: outcomes of one lane, or one group, must add up."""
        wanted, counted = [], 0
        for event_id, ((to, delay_ms), told) in zip(sorted(self.held), endings, strict=False):
            known, claimed = self.model.events[event_id], self.held.pop(event_id)
            attempt = None if isinstance(to, Move) else Attempt(claimed.n, 1, 1.0, URL, Outcome.OK)
            notice = None
            if known.place == "flight":
                if told and to in TERMINAL:
                    lane, account = known.event.integration_id, known.event.account_id
                    notice = self.model.new_event(lane, account, EventType.SUBSCRIPTION_STATUS)
                    self.model.admitted(notice, "notified")
                counted += 1
                self.model.settled(known, to, delay_ms)
            wanted.append(Settlement(claimed, to, delay_ms, attempt, notification=notice))
        call = self.store.settle_call(0, self.generation, wanted)
        assert self.run(self.store.round_trip([call]))[0] == [b"ok", counted]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def settle_under_a_lost_generation(self, data: st.DataObject) -> None:
        event_id = data.draw(st.sampled_from(sorted(self.held)))
        late = Settlement(self.held[event_id], Status.SUCCEEDED)
        assert self._settle(late, self.generation - 1) == -1

    @precondition(lambda self: self.late)
    @rule()
    def settle_what_was_concluded_and_redelivered_since(self) -> None:
        assert self._settle(Settlement(self.late.pop(), Status.SUCCEEDED)) == 0

    @rule(lane=LANE, cap=st.integers(1, 4), circuit=st.integers(0, 4))
    def limit(self, lane: str, cap: int, circuit: int) -> None:
        opened = circuit == 0
        until = 2e12 if opened else None
        call = self.store.settle_call(
            0, self.generation, [], [LaneSetting(lane, "cap", cap), LaneSetting(lane, "circuit", until)]
        )
        assert self.run(self.store.round_trip([call]))[0][0] == b"ok"
        self.model.lanes[lane].cap, self.model.lanes[lane].circuit_open = cap, opened

    @rule()
    def another_worker_takes_over(self) -> None:
        self.ask(self.redis.hset("{p0}:own", mapping={"until": 0, "granted": 0}))
        self._own_anew()
        for known in self.model.in_place("flight"):
            known.place, known.attempts = "due", known.attempts + 1

    @rule()
    def rest_and_return(self) -> None:
        assert self.run(self.store.rest(0, self.generation))
        for known in self.model.in_place("flight"):
            known.place = "due"
        self._own_anew()

    @precondition(lambda self: self.model.events)
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        known = self._any(data)
        if known.status in COMPLETE:
            with pytest.raises(Conflict):
                self.run(self.queue.resolve(known.event.id))
            return
        self.run(self.queue.resolve(known.event.id))
        if known.status in FAILURES:
            known.status = Status.RESOLVED
        else:
            self.model.concluded(known, Status.RESOLVED)

    @precondition(lambda self: self.model.events)
    @rule(data=st.data(), success=st.booleans())
    def result(self, data: st.DataObject, success: bool) -> None:
        known = self._any(data)
        if known.place not in ("wait", "flight"):
            with pytest.raises(Conflict):
                self.run(self.queue.result(known.event.id, success))
            return
        self.run(self.queue.result(known.event.id, success))
        self.model.concluded(known, Status.SUCCEEDED if success else Status.FAILED)

    @precondition(lambda self: self.model.in_place("wait"))
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        known = self._any(data, "wait")
        assert self.run(self.queue.expire(known.event.id)) == known.overdue
        if known.overdue:
            self.model.concluded(known, Status.EXPIRED)

    @precondition(lambda self: self.model.events)
    @rule(data=st.data())
    def redeliver(self, data: st.DataObject) -> None:
        known = self._any(data)
        if known.status not in FAILURES:
            with pytest.raises(Conflict):
                self.run(self.queue.redeliver(known.event.id, None))
            return
        self.run(self.queue.redeliver(known.event.id, None))
        self.model.counts["reopened"] += 1
        self.model.line_up(known)

    @rule(lane=LANE)
    def pause(self, lane: str) -> None:
        self.run(self.queue.pause(lane))
        self.model.lanes[lane].paused = True

    @rule(lane=LANE)
    def suspend_a_url(self, lane: str) -> None:
        self.run(self.queue.suspend_url(lane, URL))
        assert self.run(self.store.suspended_urls(0, lane)) == {URL}

    @rule(lane=LANE)
    def resume(self, lane: str) -> None:
        parked = [known for known in self.model.in_place("park") if known.event.integration_id == lane]
        assert self.run(self.queue.resume(lane)) == len(parked)
        for known in parked:
            known.place, known.status = "due", Status.QUEUED
        self.model.lanes[lane].paused = False

    @rule()
    def accept_again_and_mend(self) -> None:
        receipts = self.run(self.queue.accept([known.event for known in self.model.events.values()]))
        assert all(receipt.replayed for receipt in receipts)
        assert self.run(self.store.mend({0: MEND_START}))[0][1] == 0

    @invariant()
    def the_audit_is_well(self) -> None:
        report = self.run(self.store.audit())
        assert report.well, report
        assert report.open == sum(known.place != "end" for known in self.model.events.values())
        assert report.terminal == self.model.counts["terminal"]
        counted = self.run(self.queue.counters())
        for name in ("accepted", "notified", "reopened"):
            assert counted.get(name, 0) == self.model.counts[name]

    @invariant()
    def every_place_holds_what_it_should(self) -> None:
        assert set(self.ask(self.redis.hkeys("{p0}:flight"))) == self.model.ids("flight")
        assert set(self.ask(self.redis.zrange("{p0}:wait", 0, -1))) == self.model.ids("wait")
        assert set(self.ask(self.redis.zrange("{p0}:dead", 0, -1))) == self.model.dead()
        for lane in LANES:
            flight, waiting, parked = (
                self.model.ids(*places, lane=lane) for places in (("flight",), ("due", "later"), ("park",))
            )
            fields = self.ask(self.redis.hmget(f"{{p0}}:l:{lane}", "busy", "behind"))
            assert [int(field or 0) for field in fields] == [len(flight), self.model.behind(lane)]
            assert set(self.ask(self.redis.zrange(f"{{p0}}:d:{lane}", 0, -1))) == waiting
            assert set(self.ask(self.redis.zrange(f"{{p0}}:park:{lane}", 0, -1))) == parked
        for (lane, group), ids in self.model.groups.items():
            stored = self.ask(self.redis.lrange(f"{{p0}}:k:{lane}:{group}", 0, -1))
            assert [one.decode() for one in stored] == ids

    @invariant()
    def every_lane_with_work_is_served_in_time(self) -> None:
        for lane in LANES:
            first = self.ask(self.redis.zrange(f"{{p0}}:d:{lane}", 0, 0, withscores=True))
            score = self.ask(self.redis.zscore("{p0}:lanes", lane))
            assert (score is None) == (not first)
            limits = self.model.lanes[lane]
            stored_cap = self.ask(self.redis.hget(f"{{p0}}:l:{lane}", "cap"))
            full = stored_cap is not None and len(self.model.ids("flight", lane=lane)) >= int(stored_cap)
            if first and not (full or limits.paused or limits.circuit_open):
                assert score <= max(first[0][1], self._now_ms())

    def _now_ms(self) -> int:
        seconds, microseconds = self.ask(self.redis.time())
        return int(seconds) * 1000 + int(microseconds) // 1000

    def _in_flight(self, event_id: str, claimed: Claimed) -> bool:
        """Whether this is the claim that the store knows of, not one of before the event was concluded."""
        known = self.model.events[event_id]
        return known.place == "flight" and claimed.n == known.attempts + 1

    def _own_anew(self) -> None:
        self.generation = self.run(self.store.grant(0, 3000))
        self.owner += 1
        assert self.run(self.store.own(0, self.generation, f"w{self.owner}"))
        self.held, self.late, self.unsure = {}, [], False
        for limits in self.model.lanes.values():
            limits.cap = FIRST_CAP  # what the owner before had learnt goes with it

    def _claim(self, at_most: int) -> list[Claimed]:
        """Exactly what the caps allow is claimed: never more, and nothing that could go is left."""
        room = {lane: self.model.room(lane) for lane in LANES}
        reply = self.run(self.store.round_trip([self.store.claim_call(0, self.generation, at_most)]))[0]
        claim = read_claim(reply)
        assert claim is not None
        assert len(claim.events) == min(at_most, sum(room.values()))
        for claimed in claim.events:
            known = self.model.events[claimed.event.id]
            room[known.event.integration_id] -= 1
            assert known.place == "due"
            assert claimed.n == known.attempts + 1
            known.place = "flight"
        assert min(room.values()) >= 0
        return claim.events

    def _settle(self, settlement: Settlement, generation: int | None = None) -> int:
        call = self.store.settle_call(0, self.generation if generation is None else generation, [settlement])
        reply = self.run(self.store.round_trip([call]))[0]
        return int(reply[1]) if reply[0] == b"ok" else -1

    def _any(self, data: st.DataObject, place: str = "") -> Tracked:
        ids = [one for one, known in self.model.events.items() if place in ("", known.place)]
        return self.model.events[data.draw(st.sampled_from(ids))]


@pytest.mark.timeout(400)
def test_no_order_of_steps_loses_doubles_or_misplaces_an_event(redis_url: str) -> None:
    here = type("QueueMachineHere", (QueueMachine,), {"url": redis_url})
    limits = settings(max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(here, settings=limits)
