"""Acts of callers and operators on a partition: emit, report results, resolve, redeliver, hold back. Holds no test."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from dispatcher.errors import Conflict
from dispatcher.model.status import COMPLETE, FAILURES, Status
from dispatcher.store.queue.owning.partition import REPAIR_START
from dispatcher.store.redis import functions
from tests.property.on_server import ACCOUNT, LANE, PICK, OnServer, only_if, picked
from tests.property.queue_model import URL, Tracked


class CallerSteps(OnServer):
    """None of them knows who owns the partition, or whether anybody does."""

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

    @rule(functions_are_kept=st.booleans())
    def send_scripts_as(self, functions_are_kept: bool) -> None:
        """As functions that Redis keeps, or by their names: nobody can tell."""
        change = functions._without.discard if functions_are_kept else functions._without.add
        change(self.redis)

    @rule(pick=PICK)
    @only_if(lambda self: self.model.events)
    def resolve(self, pick: int) -> None:
        known = self._any(pick)
        if known.status in COMPLETE:
            with pytest.raises(Conflict):
                self.run(self.queue.resolve(known.event.id))
            return
        self.run(self.queue.resolve(known.event.id))
        if known.status in FAILURES:
            known.status = Status.RESOLVED
        else:
            self.model.concluded(known, Status.RESOLVED)

    @rule(pick=PICK, success=st.booleans())
    @only_if(lambda self: self.model.events)
    def result(self, pick: int, success: bool) -> None:
        known = self._any(pick)
        if known.place not in ("wait", "flight"):
            with pytest.raises(Conflict):
                self.run(self.queue.result(known.event.id, success))
            return
        self.run(self.queue.result(known.event.id, success))
        self.model.concluded(known, Status.SUCCEEDED if success else Status.FAILED)

    @rule(pick=PICK)
    @only_if(lambda self: self.model.in_place("wait"))
    def expire(self, pick: int) -> None:
        known = self._any(pick, "wait")
        assert self.run(self.queue.expire(known.event.id)) == known.overdue
        if known.overdue:
            self.model.concluded(known, Status.EXPIRED)

    @rule(pick=PICK)
    @only_if(lambda self: self.model.events)
    def redeliver(self, pick: int) -> None:
        known = self._any(pick)
        if known.status not in FAILURES:
            with pytest.raises(Conflict):
                self.run(self.queue.redeliver(known.event.id, None))
            return
        self.run(self.queue.redeliver(known.event.id, None))
        self.model.counts["reopened"] += 1
        self.model.line_up(known)

    @rule(pick=PICK)
    @only_if(lambda self: self.model.events)
    def deliver_now(self, pick: int) -> None:
        known = self._any(pick)
        if known.status is not Status.RETRYING or known.place not in ("due", "later"):
            with pytest.raises(Conflict):
                self.run(self.queue.bring_forward(known.event.id))
            return
        self.run(self.queue.bring_forward(known.event.id))
        known.place = "due"

    @rule(lane=LANE)
    def pause(self, lane: str) -> None:
        self.run(self.queue.pause(lane))
        self.model.lanes[lane].paused = True

    @rule(lane=LANE)
    def suspend_a_url(self, lane: str) -> None:
        self.run(self.queue.suspend_url(lane, URL))
        assert self.run(self.store.suspended_urls(0, lane)).now == {URL}
        self.model.lanes[lane].suspended = self.model.lanes[lane].was_suspended = True

    @rule(lane=LANE)
    def resume(self, lane: str) -> None:
        parked = [known for known in self.model.in_place("park") if known.event.integration_id == lane]
        assert self.run(self.queue.resume(lane)) == len(parked)
        self.model.unparked(lane)
        self.model.lanes[lane].paused = self.model.lanes[lane].suspended = False

    @rule()
    def accept_again_and_mend(self) -> None:
        receipts = self.run(self.queue.accept([known.event for known in self.model.events.values()]))
        assert all(receipt.replayed for receipt in receipts)
        assert self.run(self.store.repair({0: REPAIR_START}))[0][1] == 0
        for name, lane in self.model.lanes.items():
            if not lane.suspended:
                self.model.unparked(name)

    def _any(self, pick: int, place: str = "") -> Tracked:
        ids = [one for one, known in self.model.events.items() if place in ("", known.place)]
        return self.model.events[picked(pick, ids)]
