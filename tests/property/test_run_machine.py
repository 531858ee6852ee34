"""Any order of accepts, runs, losses, take-overs, results and pauses leaves every account in its order.

The promise of runs: first sendings are in order, each once the host took the one before; after a lost worker the last
of an account may come again, in order.
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
from tests.property.on_server import ACCOUNT, ENDING, LANE, PICK, picked
from tests.property.run_steps import RunSteps

End = tuple[int, tuple[Status | Move, int], bool]
END = st.tuples(PICK, st.one_of(st.just((Status.SUCCEEDED, 0)), ENDING), st.sampled_from((True, True, False)))


class RunMachine(CallerSteps, RunSteps, Invariants):
    """One partition, two lanes, two accounts and events without one."""

    @precondition(lambda self: not self.unsure)
    @rule(
        lane=LANE,
        accounts=st.lists(ACCOUNT, min_size=4, max_size=12),
        ends=st.lists(END, min_size=8, max_size=8),
        reply_lost=st.booleans(),
    )
    def work(self, lane: str, accounts: list[str | None], ends: list[End], reply_lost: bool) -> None:
        """Steps that happen most of the time: accept, claim, send in turn, settle meanwhile."""
        self.accept(lane, accounts)
        self.claim(12)
        for pick, ending, in_time in ends:
            self.end(pick, ending, in_time)
        self.settle(reply_lost)

    @precondition(lambda self: not self.unsure)
    @rule(lane=LANE, account=ACCOUNT, pick=PICK, success=st.booleans())
    def end_one_that_is_under_way(self, lane: str, account: str | None, pick: int, success: bool) -> None:
        """By a hand, or by a host that reports before its answer was read."""
        self.accept(lane, [account] * 4)
        self.claim(12)
        if not (flying := self.model.in_place("flight")):
            return
        known = self.model.events[picked(pick, [one.event.id for one in flying])]
        if success:
            self.run(self.queue.result(known.event.id, success))
        else:
            self.run(self.queue.resolve(known.event.id))
        self.model.concluded(known, Status.SUCCEEDED if success else Status.RESOLVED)


@pytest.mark.timeout(400)
def test_no_order_of_steps_sends_an_event_before_its_turn_or_misplaces_one(redis_url: str) -> None:
    here = type("RunMachineHere", (RunMachine,), {"url": redis_url})
    limits = settings(max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(here, settings=limits)
