"""Acting on all that a filter finds: a preview that says how many, how old and until when, then a job."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.overload.turns import take_turn
from dispatcher.api.rest.jobs.redeliveries import NOTED_AS, REDELIVERER, REDELIVERIES
from dispatcher.console.bulk.pace import pace
from dispatcher.console.bulk.plan import GOOD_MS, Plan, opened
from dispatcher.console.bulk.words import counted, number_of
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.screen import redirect
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest, Refused
from dispatcher.flow.events.acting.bulk_preview import NOTHING, Preview, preview, tally
from dispatcher.flow.events.reading.figures import LAST_HOUR
from dispatcher.flow.events.reading.reach import within_reach
from dispatcher.flow.events.reading.used_keys import with_used_keys
from dispatcher.ids import new_uuid
from dispatcher.model.queue import EventFilter
from dispatcher.model.redelivery import BulkAction, Redelivery
from dispatcher.model.status import FAILURES
from dispatcher.model.term import Bounds, Field, Term
from dispatcher.policy.bulk_actions import of_action
from dispatcher.policy.event_filter.printing import print_filter
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.policy.figures.tally import percentile

JOBS = f"{HOME}/redeliveries"
MAX_RATE = 1000.0


@dataclass(frozen=True, slots=True)
class Wish:
    """A bulk action as somebody asked for it, with absolute times."""

    action: BulkAction
    asked: str
    rate_per_s: float | None
    condition: EventFilter | None
    """Within the viewer's reach; None = nothing can meet it."""


async def show_preview(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """Changes nothing."""
    _refuse_bound(viewer)
    wish = await _wish(viewer, fields)
    plan = Plan(new_uuid(), viewer.session_id, wish.action.value, wish.asked, wish.rate_per_s, 0, viewer.now_ms)
    return await _previewed(request, viewer, wish, plan)


async def confirm(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """303 to the job. 409 for what was not previewed in this session within 10 minutes."""
    _refuse_bound(viewer)
    plan = opened(fields.get("plan", ""), viewer.services.sealer)
    plan.check(viewer.session_id, fields.get("action", ""), fields.get("q", ""), viewer.now_ms)
    if fields.get("count", "").strip().replace(",", "") != str(plan.matched):
        return await _asked_again(request, viewer, plan)
    if await request.app[REDELIVERIES].get(plan.id) is None:
        await _start(request, viewer, plan)
    return redirect(f"{JOBS}/{plan.id}")


async def _asked_again(request: web.Request, viewer: Viewer, plan: Plan) -> web.Response:
    """400: the same plan, counted anew, with what is wrong beside the number."""
    action = BulkAction(plan.action)
    wish = Wish(action, plan.asked, plan.rate_per_s, await _planned(viewer, plan, action))
    return await _previewed(request, viewer, wish, plan, wrong=True)


async def _previewed(
    request: web.Request, viewer: Viewer, wish: Wish, plan: Plan, *, wrong: bool = False
) -> web.Response:
    await take_turn(request, viewer.caller)
    counted = await tally(wish.condition, viewer.services.reads) if wish.condition else NOTHING
    seen = await preview(counted, wish.rate_per_s, viewer.services.cache)
    return await _page(viewer, wish, seen, replace(plan, matched=counted.matched), wrong)


async def _planned(viewer: Viewer, plan: Plan, action: BulkAction) -> EventFilter | None:
    return await _within(viewer, read_filter(plan.asked, plan.cut_off_ms, of_failures=True), action)


async def _start(request: web.Request, viewer: Viewer, plan: Plan) -> None:
    action = BulkAction(plan.action)
    condition = await _planned(viewer, plan, action)
    if condition is None:
        raise InvalidRequest.of("invalid_filter", "Nothing within your reach meets this filter any more.", "q")
    job = Redelivery(
        plan.id,
        _until(condition, plan.cut_off_ms),
        total=plan.matched,
        client_id=viewer.caller.client_id,
        action=action,
        asked={"q": plan.asked},
        rate_per_s=plan.rate_per_s,
    )
    after = {"filter": job.asked, "matched": job.total} | ({"rate": job.rate_per_s} if job.rate_per_s else {})
    async with noted(request, NOTED_AS[action], "redelivery", job.id, after=after):
        await request.app[REDELIVERER].start(job)


async def _wish(viewer: Viewer, fields: dict[str, str]) -> Wish:
    given = fields.get("action", "")
    if given not in set(BulkAction):
        raise InvalidRequest.of("invalid_value", f"Give one of {', '.join(BulkAction)}.", "action")
    action, text = BulkAction(given), fields.get("q", "").strip()
    if not text:
        raise InvalidRequest.of("invalid_filter", "Give a filter, such as status:dead: this acts on all it finds.", "q")
    asked = read_filter(text, viewer.now_ms, of_failures=action is BulkAction.REDELIVER)
    condition = await _within(viewer, asked, action)
    return Wish(action, print_filter(asked), _rate(fields.get("rate", "").strip()), condition)


async def _within(viewer: Viewer, asked: EventFilter, action: BulkAction) -> EventFilter | None:
    services = viewer.services
    wanted = await with_used_keys(of_action(asked, action), viewer.caller.client_id, services.reads)
    return await within_reach(wanted, viewer.caller, services.definitions)


def _rate(text: str) -> float | None:
    if not text:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= MAX_RATE:
        raise InvalidRequest.of("invalid_value", f"Give events a second, up to {MAX_RATE:.0f}, or none.", "rate")
    return rate


def _until(condition: EventFilter, cut_off_ms: int) -> EventFilter:
    """Without what failed after the preview; one that ends earlier by itself stays as it is."""
    if not condition.statuses <= FAILURES or any(term.field is Field.UNTIL for term in condition.terms):
        return condition
    return replace(condition, terms=(*condition.terms, Term(Field.UNTIL, bounds=(Bounds(None, cut_off_ms + 1),))))


def _refuse_bound(viewer: Viewer) -> None:
    """As jobs end with the rights of their client: one of an account or of marketplaces may act on single events."""
    if viewer.caller.account_id is not None or viewer.caller.marketplaces is not None:
        raise Refused.of("account_restricted", "Acting on many events needs a client that is bound to no account.")


async def _page(viewer: Viewer, wish: Wish, seen: Preview, plan: Plan, wrong: bool) -> web.Response:
    names = await viewer.names(one.integration_id for one in seen.integrations)
    count = plan.matched
    return viewer.page(
        "preview.html",
        400 if wrong else 200,
        wrong=f"Type {count}, the number of events, to confirm. Nothing was done so far." if wrong else "",
        wish=wish,
        heading=counted(wish.action, number_of(count, exact=seen.tally.exact)),
        does=counted(wish.action, f"{count:,}"),
        seen=seen,
        pace=pace(seen, wish.rate_per_s),
        names=names,
        took=await _took(viewer, seen),
        ends_ms=None if seen.seconds is None else viewer.now_ms + int(seen.seconds * 1000),
        good_until_ms=plan.cut_off_ms + GOOD_MS,
        plan=plan.sealed(viewer.services.sealer),
    )


async def _took(viewer: Viewer, seen: Preview) -> dict[str, float]:
    """Milliseconds of half of an integration's attempts within this hour; without an entry for one that had none."""
    among = {one.integration_id for one in seen.integrations}
    ranking = await viewer.services.past.by_integration(LAST_HOUR, viewer.caller, viewer.now_ms, among)
    halves = ((one, percentile(figures, "attemptTime", 0.5)) for one, figures in ranking.figures.items())
    return {one: seconds * 1000 for one, seconds in halves if seconds is not None}
