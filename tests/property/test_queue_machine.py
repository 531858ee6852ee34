"""Any order of accepts, claims, losses, take-overs, results and pauses leaves every event in exactly one place.

The model says what a partition holds; the scripts on a real server are held to it after every step.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Move
from tests.property.caller_steps import CallerSteps
from tests.property.invariants import Invariants
from tests.property.on_server import ACCOUNT, ENDING, LANE, PICK
from tests.property.parting_steps import PartingSteps

End = tuple[int, tuple[Status | Move, int], bool, bool]
END = st.tuples(PICK, ENDING, st.booleans(), st.booleans())


class QueueMachine(CallerSteps, PartingSteps, Invariants):
    """One partition, two lanes, two accounts and events without one; one owner at a time, each with its generation."""

    @precondition(lambda self: not self.unsure)
    @rule(lane=LANE, accounts=st.lists(ACCOUNT, min_size=1, max_size=6), ends=st.lists(END, min_size=8, max_size=8))
    def work(self, lane: str, accounts: list[str | None], ends: list[End]) -> None:
        """Steps that happen most of the time: accept, claim, settle."""
        self.accept(lane, accounts)
        self.claim(8)
        for _, (pick, ending, told, reply_lost) in zip(list(self.held), ends, strict=False):
            self.settle(pick, ending, told, reply_lost)


@pytest.mark.timeout(400)
def test_no_order_of_steps_loses_doubles_or_misplaces_an_event(redis_url: str) -> None:
    here = type("QueueMachineHere", (QueueMachine,), {"url": redis_url})
    limits = settings(max_examples=120, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(here, settings=limits)
