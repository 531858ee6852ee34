"""Lets a caller in at once whose token was checked moments ago and whose rate leaves room. Refuses nobody by itself."""

from __future__ import annotations

from typing import Any

from aiohttp import hdrs
from multidict import MultiMapping

from dispatcher.api.admission.access import check
from dispatcher.api.admission.metering import Meters
from dispatcher.api.http.at_once import Answer, Begin, Begun, Ordinary
from dispatcher.api.http.route import Route
from dispatcher.api.oauth.gate import Gate


def admitting_at_once(route: Route, gate: Gate, meters: Meters, ordinary: Ordinary) -> Begin:
    """``ordinary`` behind the scopes of ``route``, as ``admitting`` puts its handler behind them.

    The rate is spent last: a request that goes to the handler is to spend it there.
    """
    needed = route.scopes or ()

    def begin(headers: MultiMapping[str], raw: bytes) -> Begun | None:
        caller = gate.remembered(headers.get(hdrs.AUTHORIZATION))
        if caller is None:
            return None
        check(caller, needed, route)
        ready = ordinary(headers, raw, caller)
        if ready is None or not caller.rate_per_s:
            return ready() if ready is not None else None
        limits = meters.admit_at_once(caller)
        return _limited(ready(), limits) if limits is not None else None

    return begin


def _limited(begun: Begun, limits: dict[str, str]) -> Begun:
    def answer(outcome: Any) -> Answer:
        status, headers, data = begun.answer(outcome)
        return Answer(status, headers | limits, data)

    return Begun(begun.outcome, answer)
