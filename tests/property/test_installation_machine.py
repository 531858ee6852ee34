"""Any order of installs, host's answers, settings, updates, removals and crashes orders once and cancels once.

A crash is a transition whose effects nobody applies: they stay in the outbox until somebody looks. The model counts
what each installation may have told; a real server is held to it after every step.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from typing import ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.states.pending import Pending
from dispatcher.flow.installations.states.transitions import Cause, Decide, Transitions
from dispatcher.ids import new_installation_id
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import Event
from dispatcher.model.event_type import STEP_TYPES, EventType
from dispatcher.model.installation import Installation, InstallStep, Mode
from dispatcher.model.integration import Revision
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.policy.installing.rules import (
    begun,
    pushed,
    removed,
    settings_changed,
    step_called,
    uninstalling,
    unlocked,
)
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.installations.installed.outbox import Outbox
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import installations as installation_keys
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.claims import Claimed, Settlement
from tests.hand_worker import RETENTION_MS, HandWorker
from tests.property.on_server import PICK, only_if

T = TypeVar("T")
LANE, ACCOUNTS = "I", ("A", "B")
STEP = InstallStep("s", installer_function="check", uninstaller_function="undo")


@dataclass
class Told:
    """Messages of one installation to the product host, as they may be."""

    account: str
    orders: int = 0
    changes: int = 0
    cancels: int = 0
    gone: bool = False


class Nobody:
    async def company_name(self, account_id: str) -> str | None:
        return None

    async def is_told(self, marketplace_id: int) -> bool:
        return False


class LosingEffects(Effects):
    """``lost``: the process ends behind the write, before it applies anything."""

    lost = False

    async def apply(self, installation_id: str) -> int:
        return 0 if self.lost else await super().apply(installation_id)


class InstallationMachine(RuleBasedStateMachine):
    """One integration, two accounts. ``url`` is a subclass's."""

    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis.from_url(self.url)
        self.queue = QueueStore(self.redis, partitions=1, retention_ms=RETENTION_MS)
        self.worker = HandWorker(self.redis, 1)
        self.store, self.outbox = InstallationStore(self.redis, self.revision), Outbox(self.redis)
        self.effects, self.now_ms = LosingEffects(self.outbox, self.queue), 1_700_000_000_000
        self.transitions = Transitions(self.store, self.effects, Nobody(), 1, self.tick)
        self.pending = Pending(self.store, self.effects, self.queue, self.transitions)
        self.told: dict[str, Told] = {}
        self.run(self.redis.flushall())
        self.run(self.redis.set(definition_keys.definition(LANE), b"{}"))
        self.run(self.worker.own(0))

    def teardown(self) -> None:
        try:
            self.mend()
            self.everything_that_was_told_is_in_the_queue()
        finally:
            self.run(self.redis.aclose())
            self.runner.close()

    def run(self, reply: Awaitable[T]) -> T:
        async def wait() -> T:
            return await reply

        return self.runner.run(wait())

    async def revision(self, integration_id: str, number: int) -> Revision | None:
        """The first one has the steps of those that are installed from it with two."""
        return Revision(number, install_template=(STEP, STEP) if number == 1 else ())

    def tick(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def living(self) -> list[str]:
        return [one for one, told in self.told.items() if not told.gone]

    def one(self, pick: int) -> Installation:
        ids = self.living()
        found = self.run(self.store.find(ids[pick % len(ids)]))
        assert found is not None
        return found.installation

    def change(self, installation: Installation, decide: Decide, *, crash: bool) -> Installation | None:
        self.effects.lost = crash
        try:
            after = self.run(self.transitions.change(installation.id, decide, Cause()))
        finally:
            self.effects.lost = False
        self.note(installation, after)
        return after

    def note(self, before: Installation, after: Installation | None) -> None:
        told = self.told[before.id]
        if after is None:
            told.gone = True
            told.cancels += before.active
        elif before.order_event_id is None and after.order_event_id is not None:
            told.orders += 1

    @rule(account=st.sampled_from(ACCOUNTS), steps=st.integers(0, 2), crash=st.booleans())
    def install(self, account: str, steps: int, crash: bool) -> None:
        identity = new_installation_id(self.now_ms)
        self.told[identity] = Told(account, orders=int(steps == 0))
        made = Installation(
            identity, account, "n", 1, 1, connector_id="c", integration_id=LANE, revision=1, install=(STEP,) * steps
        )
        self.effects.lost = crash
        try:
            self.run(self.transitions.create(made, begun, Cause()))
        finally:
            self.effects.lost = False

    @rule(pick=PICK, crash=st.booleans())
    @only_if(lambda self: self.living())
    def check_step(self, pick: int, crash: bool) -> None:
        current = self.one(pick)
        step = current.next_step
        if current.mode is Mode.INSTALL and step is not None and current.pending_event_id is None:
            self.change(current, lambda one, at: step_called(one, step, at), crash=crash)

    @rule(refuse=st.booleans())
    def deliver(self, refuse: bool) -> None:
        """The host answers everything that is due; it may refuse orders and steps."""
        claim = self.run(self.worker.claim(0))
        updated = [one for one in map(self.find, self.living()) if one and one.update_in_progress]
        locked = {one.account_id for one in updated if not self.run(self.outbox.entries(one.id))}
        for claimed in claim.events:
            event = claimed.event
            assert event.type in STEP_TYPES or event.account_id not in locked
        settlements = [self.answered(claimed, refuse) for claimed in claim.events]
        assert self.run(self.worker.settle(0, settlements)) == len(settlements)

    def find(self, installation_id: str) -> Installation | None:
        found = self.run(self.store.find(installation_id))
        return found.installation if found else None

    def answered(self, claimed: Claimed, refuse: bool) -> Settlement:
        fails = refuse and claimed.event.type in (*STEP_TYPES, EventType.SUBSCRIPTION_ORDER)
        outcome = Outcome.REFUSED if fails else Outcome.OK
        attempt = Attempt(claimed.n, 1, 1.0, "https://h.example", outcome, 200, response_body=None, worker="hand")
        to, code = (Status.FAILED, "UNKNOWN_ERROR") if fails else (Status.SUCCEEDED, None)
        identifier = f"host-{claimed.event.subscription_id}"
        return Settlement(claimed, to, 0, attempt, code, None, None if fails else identifier)

    @rule(pick=PICK)
    @only_if(lambda self: self.living())
    def look(self, pick: int) -> None:
        current = self.one(pick)
        self.note(current, self.run(self.pending.look(current.id)))

    @rule(pick=PICK, crash=st.booleans())
    @only_if(lambda self: self.living())
    def save_settings(self, pick: int, crash: bool) -> None:
        current = self.one(pick)
        if current.update_in_progress:
            return
        changed = replace(current, settings=self.tick())
        after = self.change(current, lambda one, at: settings_changed(one, changed, at), crash=crash)
        told = after is not None and after.transitions > current.transitions
        assert told == (current.mode is Mode.SETTINGS and current.active)
        self.told[current.id].changes += told

    @rule(pick=PICK, crash=st.booleans())
    @only_if(lambda self: self.living())
    def push(self, pick: int, crash: bool) -> None:
        current = self.one(pick)
        if current.mode is not Mode.UNINSTALL:
            self.change(current, lambda one, at: pushed(one, 2, at), crash=crash)

    @rule(pick=PICK, crash=st.booleans())
    @only_if(lambda self: self.living())
    def end_update(self, pick: int, crash: bool) -> None:
        current = self.one(pick)
        if current.update_in_progress:
            self.change(current, unlocked, crash=crash)

    @rule(pick=PICK, crash=st.booleans())
    @only_if(lambda self: self.living())
    def uninstall(self, pick: int, crash: bool) -> None:
        self.change(self.one(pick), uninstalling, crash=crash)

    @rule(pick=PICK, crash=st.booleans())
    @only_if(lambda self: self.living())
    def delete(self, pick: int, crash: bool) -> None:
        self.change(self.one(pick), removed, crash=crash)

    @rule()
    def mend(self) -> None:
        """Work after a crash."""
        for installation_id in self.run(self.outbox.waiting(self.now_ms + 1_000_000)):
            self.run(self.effects.apply(installation_id))

    @invariant()
    def the_recount_is_well(self) -> None:
        report = self.run(self.worker.store.recount())
        assert report.well, report

    @invariant()
    def lists_hold_what_there_is(self) -> None:
        living = sorted(self.living())
        assert self.run(self.store.ids([installation_keys.INSTALLATIONS], "", 1000)) == living
        assert self.run(self.store.ids([installation_keys.installations_of_integration(LANE)], "", 1000)) == living
        for account in ACCOUNTS:
            mine = [one for one in living if self.told[one].account == account]
            assert self.run(self.store.ids([installation_keys.installations_of_account(account)], "", 1000)) == mine

    @invariant()
    def nothing_is_told_twice_or_out_of_turn(self) -> None:
        for installation_id, told in self.told.items():
            kinds = [event.type for event in self.events(installation_id)]
            counted = Counter(kinds)
            assert counted[EventType.SUBSCRIPTION_ORDER] <= told.orders <= 1
            assert counted[EventType.SUBSCRIPTION_CHANGE] <= told.changes
            assert counted[EventType.SUBSCRIPTION_CANCEL] <= told.cancels <= 1
            lasting = [kind for kind in kinds if kind not in STEP_TYPES]
            assert lasting == sorted(lasting, key=list(EventType).index)

    def everything_that_was_told_is_in_the_queue(self) -> None:
        """Once the outbox is empty."""
        for installation_id, told in self.told.items():
            counted = Counter(event.type for event in self.events(installation_id))
            assert counted[EventType.SUBSCRIPTION_ORDER] == told.orders
            assert counted[EventType.SUBSCRIPTION_CHANGE] == told.changes
            assert counted[EventType.SUBSCRIPTION_CANCEL] == told.cancels
        for account in ACCOUNTS:
            updated = [one for one in map(self.find, self.living()) if one and one.update_in_progress]
            holders = {f"update:{one.id}" for one in updated if one.account_id == account}
            assert set(self.run(self.queue.holders(LANE, account))) == holders
        assert self.run(self.outbox.count(self.now_ms + 1_000_000)) == 0

    def events(self, installation_id: str) -> list[Event]:
        """Oldest first."""
        condition = EventFilter(account_id=self.told[installation_id].account)
        page = self.run(self.queue.page(condition, None, 1000))
        mine = [stored.event for stored in page.items if stored.event.subscription_id == installation_id]
        return list(reversed(mine))


@pytest.mark.timeout(400)
def test_no_order_of_steps_and_crashes_orders_or_cancels_twice(redis_url: str) -> None:
    here = type("InstallationMachineHere", (InstallationMachine,), {"url": redis_url})
    limits = settings(max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(here, settings=limits)
