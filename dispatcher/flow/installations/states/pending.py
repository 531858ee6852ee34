"""Looks at the event that an installation waits for, and takes the installation on when that has ended.

Whoever looks first makes the transition; whoever comes later finds that it waits for another event, or for none. So
the process that asked, another one and a worker after a crash may all look at once.
"""

from __future__ import annotations

from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.states.transitions import Cause, Decide, Transitions
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.installation import Installation, Moved, Standing
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from dispatcher.policy.answers.steps import NOT_ASKED, Answered, StepAnswer, read_step_answer
from dispatcher.policy.installing.rules import (
    Moment,
    order_ended,
    order_lost,
    order_refused,
    order_repeated,
    step_refused,
    step_undone,
    steps_updated,
    undo_later,
)
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.queue.events import QueueStore

UNDO_AGAIN_MS = 600_000
"""Pause before a host that was away is asked again to undo a step."""
STEP_WAIT_MS = 35_000
"""Longest time of a call about a step, from its acceptance to its end."""
_GOOD = frozenset({Status.SUCCEEDED, Status.RESOLVED, Status.SKIPPED})
_WAITING = frozenset({Status.QUEUED, Status.HELD})
_NOT_SAID = frozenset({Answered.AWAY, Answered.HELD})
_NOBODYS = Cause()
_GONE = "Its event is gone: try again."


class Pending:
    """One per process."""

    def __init__(
        self,
        store: InstallationStore,
        effects: Effects,
        queue: QueueStore,
        transitions: Transitions,
    ) -> None:
        self._store = store
        self._effects = effects
        self._queue = queue
        self._transitions = transitions

    async def look(self, installation_id: str) -> Installation | None:
        """The installation as it is after this look; None = it is gone."""
        found = await self._store.find(installation_id)
        if found is None:
            return None
        current = found.installation
        event_id = current.pending_event_id
        if event_id is None:
            return current
        stored = await self.event(current, event_id)
        if stored is None:
            return await self._change(current, event_id, lambda one, _: _without_event(one))
        if stored.event.type is EventType.SUBSCRIPTION_ORDER:
            return await self._ordered(current, event_id, stored.state)
        return await self._asked(current, event_id, stored)

    async def event(self, installation: Installation, event_id: str) -> StoredEvent | None:
        """The event, put into the queue first if a crash came before that; None = its retention has ended."""
        stored = await self._queue.get(event_id)
        if stored is not None:
            return stored
        await self._effects.apply(installation.id)
        return await self._queue.get(event_id)

    async def answer(self, stored: StoredEvent) -> StepAnswer | None:
        """The host's answer about a step; None = the call has not ended. One that nothing lets go on ends here."""
        if stored.state.status in _WAITING:
            stored = await self._unless_held(stored)
        ended = stored.state.consumed
        return read_step_answer(stored.state, await self._queue.attempts(stored.event.id) or [] if ended else [])

    async def give_up(self, stored: StoredEvent, why: str = "no answer in time") -> StoredEvent:
        """Nothing more is sent of it. One that ended meanwhile stays as it ended."""
        await self._queue.withdraw(stored.event.id, why)
        return await self._queue.get(stored.event.id) or stored

    async def _unless_held(self, stored: StoredEvent) -> StoredEvent:
        found = await self._queue.explain(stored.event.id)
        why = NOT_ASKED.get(found.reason) if found else None
        return await self.give_up(stored, why.message) if why else stored

    async def _ordered(self, current: Installation, event_id: str, state: EventState) -> Installation | None:
        if not state.consumed:
            if current.standing is not Standing.REFUSED:
                return current
            return await self._change(current, event_id, lambda one, _: order_repeated(one))
        words = state.error_message or state.error_code

        def decide(one: Installation, at: Moment) -> Moved:
            if state.status in _GOOD:
                return order_ended(one, state.account_identifier, at)
            return order_refused(one, words)

        return await self._change(current, event_id, decide)

    async def _asked(self, current: Installation, event_id: str, stored: StoredEvent) -> Installation | None:
        answer = await self.answer(stored)
        if answer is None and self._transitions.now_ms() > current.modified_ms + STEP_WAIT_MS:
            stored = await self.give_up(stored)
            answer = await self.answer(stored)
        if answer is None or answer.answered is Answered.LATER:
            return current
        function = function_of(stored.event)

        def decide(one: Installation, at: Moment) -> Moved:
            if answer.answered in _NOT_SAID and stored.event.type is EventType.UNINSTALL_STEP:
                return undo_later(one, answer.text, at, UNDO_AGAIN_MS)
            if answer.answered is not Answered.DONE:
                return step_refused(one, answer.text)
            if stored.event.type is EventType.UNINSTALL_STEP:
                return step_undone(one, function, at)
            updates = answer.updates if answer.updates is not None else {function: True}
            return steps_updated(one, updates, at)

        return await self._change(current, event_id, decide)

    async def _change(self, current: Installation, event_id: str, decide: Decide) -> Installation | None:
        def unless_done(one: Installation, at: Moment) -> Moved:
            return decide(one, at) if one.pending_event_id == event_id else Moved(one)

        return await self._transitions.change(current.id, unless_done, _NOBODYS)


def _without_event(installation: Installation) -> Moved:
    if installation.pending_event_id == installation.order_event_id:
        return order_lost(installation)
    return step_refused(installation, _GONE)


def function_of(event: Event) -> str:
    """The name of the step that a call is about."""
    return str((event.payload or {}).get("function") or "")
