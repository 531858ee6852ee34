"""Acts of workers that let go of a partition in which attempts of theirs run, and settle these later. Holds no test."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claimed, Move, Settlement
from dispatcher.store.queue.owning.partition import REPAIR_START
from tests.property.on_server import ENDING, PICK, only_if, picked
from tests.property.worker_steps import WorkerSteps


class PartingSteps(WorkerSteps):
    """``gone_on``: claims that former owners go on with, each with its generation."""

    def __init__(self) -> None:
        super().__init__()
        self.gone_on: dict[str, tuple[Claimed, int]] = {}

    @precondition(lambda self: not self.unsure)
    @rule(keep=st.integers(0, 2**8))
    @only_if(lambda self: self.held)
    def part(self, keep: int) -> None:
        """With any of the claims at hand; another owns the partition at once."""
        kept = {one: self.held[one] for i, one in enumerate(sorted(self.held)) if keep >> i % 8 & 1}
        former, handles = self.generation, [claimed.claim_id for claimed in kept.values()]
        assert self._parts(former, *handles)
        self.parted.add(former)
        going_on = self._going_on() | {one for one, claimed in kept.items() if self._in_flight(one, claimed)}
        for known in self.model.in_place("flight"):
            if known.event.id not in going_on:
                known.place = "due"
        self._own_anew()
        self.gone_on |= {one: (claimed, former) for one, claimed in kept.items() if one in going_on}

    @rule(pick=PICK, ending=ENDING)
    @only_if(lambda self: self.gone_on)
    def settle_what_went_on(self, pick: int, ending: tuple[Status | Move, int]) -> None:
        event_id, (to, delay_ms) = picked(pick, self.gone_on), ending
        counts = event_id in self._going_on()
        claimed, former = self.gone_on.pop(event_id)
        settled = self.run(self.worker.settle(0, [Settlement(claimed, to, delay_ms)], generation=former))
        assert settled == int(counts)
        if counts:
            self.model.settled(self.model.events[event_id], to, delay_ms)

    @rule()
    @only_if(lambda self: self.gone_on)
    def who_went_on_is_lost(self) -> None:
        for generation in {former for _, former in self.gone_on.values()}:
            self.ask(self.redis.hset("{p0}:parted", f"until:{generation}", "1"))
        for event_id in self._going_on():
            known = self.model.events[event_id]
            known.place, known.attempts = "due", known.attempts + 1
        self.gone_on.clear()
        assert self.run(self.store.repair({0: REPAIR_START}))[0][1] == 0
        for name, lane in self.model.lanes.items():
            if not lane.suspended:
                self.model.unparked(name)

    def _going_on(self) -> set[str]:
        return {one for one, (claimed, _) in self.gone_on.items() if self._in_flight(one, claimed)}

    def _parts(self, generation: int, *handles: tuple[str, int]) -> bool:
        (reply,) = self.run(self.store.round_trip([self.store.part_call(0, generation, handles)]))
        return bool(reply[0] == b"ok")
