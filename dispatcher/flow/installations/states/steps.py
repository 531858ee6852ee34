"""Asks the product host about the step that comes next, and waits for what it says. One call at a time, tried once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from dispatcher.errors import NotFound, Unprocessable
from dispatcher.flow.installations.states.pending import STEP_WAIT_MS, Pending, function_of
from dispatcher.flow.installations.states.transitions import Cause, Transitions, no_such_installation
from dispatcher.model.installation import Installation, InstallStep, Mode, Moved
from dispatcher.policy.answers.steps import FIELD, Answered, StepAnswer
from dispatcher.policy.installing.rules import Moment, step_called

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.25


@dataclass(frozen=True, slots=True)
class StepResult:
    """The host's answer, and the installation as it is then."""

    installation: Installation
    answer: StepAnswer


class StepCalls:
    """One per process. The process that asks need not be the one that reads the answer."""

    def __init__(self, transitions: Transitions, pending: Pending) -> None:
        self._transitions = transitions
        self._pending = pending

    async def check(self, installation_id: str, function: str, cause: Cause) -> StepResult:
        """Is the step of that ``installerFunction`` done? Asked about one that is, nobody is called.

        Raises ``NotFound``, and ``Unprocessable`` for a step that is not the next one.
        """

        def call(current: Installation, at: Moment) -> Moved:
            step = _callable_step(current, function)
            if step is None or current.pending_event_id is not None:
                return Moved(current)
            return step_called(current, step, at)

        current = await self._transitions.change(installation_id, call, cause)
        if current is None:
            raise no_such_installation()
        if _callable_step(current, function) is None or current.pending_event_id is None:
            return StepResult(current, StepAnswer(Answered.DONE))
        answer = await self._answer(current, current.pending_event_id, function)
        after = await self._pending.look(installation_id)
        return StepResult(after or current, answer)

    async def _answer(self, current: Installation, event_id: str, function: str) -> StepAnswer:
        """The answer, at most ``STEP_WAIT_MS`` after the call; then nothing is sent any more."""
        deadline_s = asyncio.get_running_loop().time() + STEP_WAIT_MS / 1000
        pause_s = _FIRST_PAUSE_S
        while True:
            stored = await self._pending.event(current, event_id)
            if stored is None:
                return StepAnswer(Answered.AWAY)
            if (running := function_of(stored.event)) != function:
                text = f"The host has yet to say whether {running} is done: call this one when it has."
                raise Unprocessable.of("out_of_order", text, FIELD)
            answer = await self._pending.answer(stored)
            if answer is None and asyncio.get_running_loop().time() >= deadline_s:
                answer = await self._pending.answer(await self._pending.give_up(stored))
            if answer is not None:
                return answer
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 1.5, _LONGEST_PAUSE_S)


def _callable_step(current: Installation, function: str) -> InstallStep | None:
    """The open step of that function; None = all of them are done."""
    if current.integration_id is None:
        text = "No integration of this _connectorId is known here, so there is no product host to ask."
        raise Unprocessable.of("invalid_reference", text, "_connectorId")
    named = [step for step in current.install if step.installer_function == function]
    if not named:
        known = [step.installer_function for step in current.install if step.installer_function]
        text = f"No step has this installerFunction; there is {', '.join(known) or 'none'}."
        raise NotFound.of("not_found", text, FIELD)
    if current.mode is Mode.UNINSTALL:
        raise Unprocessable.of("wrong_mode", "It is being uninstalled: there is nothing to install any more.", "mode")
    step = next((one for one in named if not one.completed), None)
    following = current.next_step
    if step is None or step is following:
        return step
    assert following is not None
    text = f"{following.name} comes first: call {following.installer_function or 'it'} before this one."
    raise Unprocessable.of("out_of_order", text, FIELD)
