"""Any order of accepts, claims, losses, take-overs, results and pauses leaves every event in exactly one place.

The model says what a partition holds; the scripts on a real server are held to it after every step.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule, run_state_machine_as_test

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Move
from tests.property.caller_steps import CallerSteps
from tests.property.on_server import ACCOUNT, ENDING, LANE, PICK
from tests.property.queue_model import LANES
from tests.property.worker_steps import WorkerSteps

End = tuple[int, tuple[Status | Move, int], bool, bool]
END = st.tuples(PICK, ENDING, st.booleans(), st.booleans())


class QueueMachine(CallerSteps, WorkerSteps):
    """One partition, two lanes, two accounts and events without one; one owner at a time, each with its generation."""

    @precondition(lambda self: not self.unsure)
    @rule(lane=LANE, accounts=st.lists(ACCOUNT, min_size=1, max_size=6), ends=st.lists(END, min_size=8, max_size=8))
    def work(self, lane: str, accounts: list[str | None], ends: list[End]) -> None:
        """What goes on most of the time: accept, claim, settle."""
        self.accept(lane, accounts)
        self.claim(8)
        for _, (pick, ending, told, reply_lost) in zip(list(self.held), ends, strict=False):
            self.settle(pick, ending, told, reply_lost)

    @invariant()
    def the_audit_is_well(self) -> None:
        report = self.run(self.store.recount())
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


@pytest.mark.timeout(400)
def test_no_order_of_steps_loses_doubles_or_misplaces_an_event(redis_url: str) -> None:
    here = type("QueueMachineHere", (QueueMachine,), {"url": redis_url})
    limits = settings(max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(here, settings=limits)
