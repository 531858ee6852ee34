"""Acting on all that a filter finds: previewed, counted, confirmed once, followed, stopped. Dead letters by cause."""

from __future__ import annotations

import re
from html import unescape

import pytest

from dispatcher.api.rest.jobs.redeliveries import REDELIVERIES
from dispatcher.api.watch.verdict import VERDICT
from dispatcher.console.bulk.plan import GOOD_MS
from dispatcher.model.redelivery import Redelivery, RedeliveryState
from dispatcher.model.status import Status
from dispatcher.store.queue.acting.redeliveries import RedeliveryStore
from tests.api.audit_entries import entries, newest
from tests.api.console.conftest import Visitor
from tests.api.worker_hand import WorkerHand
from tests.waiting import until

PREVIEW, JOBS, ISSUES = "/console/redeliveries/preview", "/console/redeliveries", "/console/issues"
DEAD = {"action": "redeliver", "q": "status:dead"}


async def with_dead(visitor: Visitor, how_many: int) -> list[str]:
    """Dead letters of as many accounts."""
    ids = [(await visitor.api.emit(accountId=f"A-{n}"))["id"] for n in range(how_many)]
    hand = WorkerHand(visitor.api)
    for event_id in ids:
        await hand.settle(event_id, Status.DEAD)
    return ids


def hidden(page: str) -> dict[str, str]:
    """Fields of the form that confirms."""
    form = page.partition('<form method="post" action="/console/redeliveries" ')[2].partition("</form>")[0]
    assert form, page
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)}


async def previewed(visitor: Visitor, **asked: str) -> tuple[str, dict[str, str]]:
    answer = await visitor.act("/console/events?q=status:dead", PREVIEW, DEAD | asked)
    page = await answer.text()
    assert answer.status == 200, page
    return page, hidden(page)


async def ended(visitor: Visitor, path: str) -> Redelivery:
    assert visitor.api.http.server is not None
    store: RedeliveryStore = visitor.api.http.server.app[REDELIVERIES]  # type: ignore[attr-defined]

    async def done() -> Redelivery | None:
        job = await store.get(path.rpartition("/")[2])
        return job if job and job.state is not RedeliveryState.RUNNING else None

    return await until(done)


async def test_j1_all_that_match_are_counted_confirmed_and_redelivered(operator: Visitor) -> None:
    ids = await with_dead(operator, 3)
    page, fields = await previewed(operator)
    assert "Redeliver 3 events?" in page
    assert "No rate bounds it: it goes as fast as the hosts answer." in page
    answer = await operator.send(JOBS, fields | {"count": "3"})
    assert answer.status == 303
    path = answer.headers["Location"]
    job = await ended(operator, path)
    assert (job.state, job.done, job.client_id) == (RedeliveryState.DONE, 3, "admin")
    shown = await operator.look(path)
    assert all(f"/console/events/{event_id}" in shown for event_id in ids)
    assert '<b class="number">3</b> of' in shown
    assert path in await operator.look(JOBS)
    entry = await newest(operator.api)
    assert (entry["action"], entry["after"]["matched"]) == ("redeliverEvents", 3)


async def test_confirming_twice_starts_one_job(operator: Visitor) -> None:
    await with_dead(operator, 1)
    _, fields = await previewed(operator)
    first, again = [await operator.send(JOBS, fields | {"count": "1"}) for _ in range(2)]
    assert (first.status, again.status) == (303, 303)
    assert first.headers["Location"] == again.headers["Location"]
    assert [entry["action"] for entry in await entries(operator.api)].count("redeliverEvents") == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"plan": ""}, 409, "previewed"),
        ({"plan": "x"}, 409, "previewed"),
        ({"q": "status:dead,failed"}, 409, "previewed"),
        ({"action": "resolve"}, 409, "previewed"),
        ({"count": "2"}, 400, "Type 1"),
        ({"count": ""}, 400, "Type 1"),
    ],
)
async def test_j6_only_what_was_previewed_is_done(
    operator: Visitor, changed: dict[str, str], status: int, code: str
) -> None:
    await with_dead(operator, 1)
    _, fields = await previewed(operator)
    answer = await operator.send(JOBS, fields | {"count": "1"} | changed)
    assert answer.status == status
    assert code in await answer.text()
    assert "No bulk job" in await operator.look(JOBS)


async def test_a_wrong_count_shows_the_plan_again_with_the_problem_at_the_field(operator: Visitor) -> None:
    await with_dead(operator, 2)
    _, fields = await previewed(operator, rate="5")
    answer = await operator.send(JOBS, fields | {"count": "3"})
    page = await answer.text()
    assert answer.status == 400
    assert 'aria-describedby="count-wrong"' in page
    assert "Type 2, the number of events, to confirm. Nothing was done so far." in page
    assert "It goes at 5 events a second." in page
    answer = await operator.send(JOBS, hidden(page) | {"count": "2"})
    assert answer.status == 303
    assert answer.headers["Location"] == f"{JOBS}/{await _only_job(operator)}"


async def _only_job(operator: Visitor) -> str:
    (job_id,) = set(re.findall(rf'href="{JOBS}/([0-9a-f-]+)"', await operator.look(JOBS)))
    return str(job_id)


async def test_a_preview_is_good_for_ten_minutes_and_one_session(operator: Visitor) -> None:
    await with_dead(operator, 1)
    _, fields = await previewed(operator)
    operator.api.clock.now_s += GOOD_MS / 1000
    answer = await operator.send(JOBS, fields | {"count": "1"})
    assert (answer.status, "older than 10 minutes" in await answer.text()) == (409, True)
    _, fields = await previewed(operator)
    await operator.sign_in()
    page = await operator.look("/console/events?q=status:dead")
    token = page.partition('name="form" value="')[2].partition('"')[0]
    assert (await operator.send(JOBS, fields | {"count": "1", "form": token})).status == 409


async def test_a_rate_says_when_it_ends_and_a_job_can_be_stopped(operator: Visitor) -> None:
    await with_dead(operator, 3)
    page, fields = await previewed(operator, rate="0.01")
    assert "It goes at 0.01 events a second. It ends" in page
    path = (await operator.send(JOBS, fields | {"count": "3"})).headers["Location"]
    running = await operator.look(path)
    assert (">Stop</button>" in running, '<noscript><meta http-equiv="refresh"' in running) == (True, True)
    answer = await operator.act(path, f"{path}/stop")
    assert (answer.status, answer.headers["Location"]) == (303, f"{path}?said=stopped")
    assert (await ended(operator, path)).state is RedeliveryState.CANCELLED
    shown = await operator.look(f"{path}?said=stopped")
    assert "Stopped" in shown
    assert (">Stop</button>" in shown, "http-equiv" in shown) == (False, False)
    answer = await operator.act("/console", f"{path}/stop")
    assert answer.headers["Location"] == f"{path}?said=over"


UNREADABLE = [{"rate": "0"}, {"rate": "nan"}, {"rate": "1001"}, {"q": ""}, {"q": "x:y"}, {"action": "x"}]


@pytest.mark.parametrize("asked", UNREADABLE)
async def test_a_preview_that_cannot_be_read_says_why(operator: Visitor, asked: dict[str, str]) -> None:
    await with_dead(operator, 1)
    answer = await operator.act("/console/events?q=status:dead", PREVIEW, DEAD | asked)
    assert answer.status == 400


async def test_a_viewer_cannot_act_in_bulk(visitor: Visitor) -> None:
    await with_dead(visitor, 1)
    await visitor.sign_in_as_new("events:read", "ops:read", "integrations:read")
    for path in ("/console/events?q=status:dead", ISSUES):
        assert "…</button>" not in await visitor.look(path)
    for path in (PREVIEW, JOBS, f"{JOBS}/x/stop", f"{ISSUES}/x/acknowledge"):
        assert (await visitor.send(path, {})).status == 403


async def test_dead_letters_stand_by_cause_and_are_new_until_acknowledged(operator: Visitor) -> None:
    assert "No dead letter" in await operator.look(ISSUES)
    assert await operator.sent_to("/console/dead-letters") == "/console/events?q=status%3Adead%2Cexpired"
    await with_dead(operator, 2)
    assert operator.api.http.server is not None
    await operator.api.http.server.app[VERDICT].evaluation.judge(out_of_turn=True)  # type: ignore[attr-defined]
    page = await operator.look(ISSUES)
    assert "2 dead letters nobody knows of yet." in page
    assert "1 cause<" in page
    assert "By cause" not in await operator.look(f"{ISSUES}?first=1")
    assert '<span class="count">2' in page
    path = re.search(rf'action="({ISSUES}/[^"]+/acknowledge)"', page)
    assert path is not None
    assert (await operator.act(ISSUES, path[1])).status == 303
    known = await operator.look(ISSUES)
    assert "2 dead letters, all known." in known
    assert '<span class="count">' not in known
    preview = await operator.act(ISSUES, PREVIEW, {"action": "resolve", "q": _asked(known)})
    assert "Resolve 2 events?" in await preview.text()


def _asked(page: str) -> str:
    """The filter that the first cause's forms send."""
    form = page.partition('name="action" value="resolve"><input type="hidden" name="q" value="')[2]
    return unescape(form.partition('"')[0])
