"""Acts on one event from the console, by whom, and that its content is shown to those who say why."""

from __future__ import annotations

import pytest

from dispatcher.console.events.masking import masked
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.store.queue.search import account_order
from tests.api.audit_entries import newest
from tests.api.console.conftest import Visitor
from tests.api.worker_hand import WorkerHand


async def retrying(visitor: Visitor, to: Status = Status.RETRYING) -> str:
    """The address of an event after one attempt."""
    event = await visitor.api.emit(payload={"user": {"email": "somebody@example.com"}})
    await WorkerHand(visitor.api).settle(event["id"], to, delay_ms=3_600_000)
    return f"/console/events/{event['id']}"


async def status_of(visitor: Visitor, page: str) -> str:
    stored = await visitor.api.services.queue.get(page.rpartition("/")[2])
    assert stored is not None
    return stored.state.status.value


async def test_an_event_is_delivered_now_and_who_did_it_is_written_down(operator: Visitor) -> None:
    page = await retrying(operator)
    assert '<button class="primary">Deliver now</button>' in await operator.look(page)
    answer = await operator.act(page, f"{page}/deliver-now")
    assert (answer.status, answer.headers["Location"]) == (303, f"{page}?said=forwarded")
    assert "Brought forward" in await operator.look(f"{page}?said=forwarded")
    explained = await operator.api.services.queue.explain(page.rpartition("/")[2])
    assert explained is not None
    assert explained.reason is not Reason.RETRY_PLANNED
    entry = await newest(operator.api)
    assert (entry["action"], entry["clientId"]) == ("deliverEventNow", "admin")


@pytest.mark.parametrize(
    ("name", "verb", "end"), [("Redeliver", "redeliver", "QUEUED"), ("Resolve", "resolve", "RESOLVED")]
)
async def test_a_dead_letter_is_redelivered_or_resolved(operator: Visitor, name: str, verb: str, end: str) -> None:
    page = await retrying(operator, Status.DEAD)
    assert f">{name}</button>" in await operator.look(page)
    assert (await operator.act(page, f"{page}/{verb}")).status == 303
    assert await status_of(operator, page) == end


async def test_what_cannot_be_done_any_more_is_said_with_409(operator: Visitor) -> None:
    page = await retrying(operator)
    answer = await operator.act(page, f"{page}/redeliver")
    assert answer.status == 409
    assert "This was not done" in await answer.text()


async def test_a_viewer_sees_no_button_and_acts_on_nothing(visitor: Visitor) -> None:
    page = await retrying(visitor)
    await visitor.sign_in_as_new("events:read", "ops:read", "integrations:read")
    shown = await visitor.look(page)
    for words in ("Deliver now", "Resolve", "Show body", "somebody@example.com"):
        assert words not in shown
    for verb in ("deliver-now", "redeliver", "resolve", "body"):
        assert (await visitor.send(f"{page}/{verb}", {"reason": "curious"})).status == 403
    assert await status_of(visitor, page) == "RETRYING"


async def test_j5_content_is_masked_until_somebody_says_why(operator: Visitor) -> None:
    page = await retrying(operator)
    shown = await operator.look(page)
    assert "&#34;email&#34;: &#34;•••&#34;" in shown
    assert "somebody@example.com" not in shown
    assert ("POST https://host.example/hook" in shown, "x-delivery-attempt: 1" in shown) == (True, True)
    assert ("as curl</summary>" in shown, "failed at answer" in shown) == (False, True)
    answer = await operator.act(page, f"{page}/body", {"reason": "the host asks what we sent"})
    opened = await answer.text()
    assert answer.status == 200
    assert "somebody@example.com" in opened
    assert "curl https://host.example/hook" in opened
    assert ">oh</pre>" in opened
    entry = await newest(operator.api)
    assert (entry["action"], entry["after"]) == ("showBody", {"reason": "the host asks what we sent"})


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "two\nlines"])
async def test_content_is_not_shown_without_a_reason(operator: Visitor, reason: str) -> None:
    page = await retrying(operator)
    answer = await operator.act(page, f"{page}/body", {"reason": reason})
    assert answer.status == 400
    assert "somebody@example.com" not in await answer.text()


async def test_an_event_shows_its_accounts_order_and_what_was_delivered_since(
    operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = [(await operator.api.emit())["id"] for _ in range(3)]
    hand = WorkerHand(operator.api)
    await hand.settle(first, Status.DEAD)
    await hand.settle(second, Status.SUCCEEDED, http_status=200)
    page = await operator.look(f"/console/events/{first}")
    assert "1 later event of this account was delivered since." in page
    assert f'href="/console/events/{third}"' in page
    assert "1 to come" in page
    monkeypatch.setattr(account_order, "MOST_LOOKED", 0)
    assert "1 later event of this account ended since." in await operator.look(f"/console/events/{first}")


async def test_a_filter_that_cannot_be_read_is_pointed_at(operator: Visitor) -> None:
    page = await operator.look("/console/events?q=status:dead+stauts:x", 400)
    assert "there is no field stauts; status?" in page
    assert "status:dead stauts:x\n            ^^^^^^</pre>" in page
    assert 'name="q" value="status:dead stauts:x"' in page


async def test_a_filter_finds_and_says_why_and_what_comes_next(operator: Visitor) -> None:
    event = (await retrying(operator)).rpartition("/")[2]
    page = await operator.look("/console/events?q=status:retrying")
    assert event in page
    assert "due now; UNKNOWN_ERROR: answered 500" in page
    assert event not in await operator.look("/console/events?q=status:dead&said=nothing")


def test_masks_keep_shape_and_names() -> None:
    given = {"a": "x", "b": [1, 2.5, {"c": True}, 4, 5], "d": None}
    assert masked(given) == {"a": "•••", "b": ["•••", "•••", {"c": True}, "and 2 more"], "d": None}
