"""The overview: the verdict first, with what mends it as forms that only its own pages can send."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dispatcher.api.watch.verdict import VERDICT
from dispatcher.console.operating.charts import Series, ceiling, chart
from dispatcher.flow.events.reading.explain import SENTENCES
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.model.verdict import Ended, ProblemKind
from dispatcher.pages.session import RENEWED_AFTER_S
from tests.api.audit_entries import entries
from tests.api.conftest import Api
from tests.api.console.conftest import Visitor
from tests.api.worker_hand import WorkerHand


async def actions(api: Api) -> set[str]:
    return {entry["action"] for entry in await entries(api)}


async def test_every_way_in_leads_to_the_overview(operator: Visitor) -> None:
    for path in ("/", "/console/"):
        assert await operator.sent_to(path) == "/console"
    icon = await operator.sent_to("/favicon.ico")
    answer = await operator.api.http.get(icon)
    assert (answer.status, answer.content_type) == (200, "image/svg+xml")
    assert f'href="{icon}"' in await operator.look("/console")


async def test_the_frame_says_where_who_and_when(operator: Visitor) -> None:
    page = await operator.look("/console")
    assert "dispatcher.example" in page
    assert "<b>admin</b>" in page
    assert 'aria-current="page" data-key="o">Overview' in page
    assert " UTC</time>" in page


async def test_dead_letters_are_named_first_and_acknowledged_with_one_form(operator: Visitor) -> None:
    event = await operator.api.emit()
    await WorkerHand(operator.api).settle(event["id"], Status.DEAD)
    page = await operator.look("/console")
    assert page.index("died") < page.index('class="tiles"')
    assert '<button class="primary">Redeliver 1</button>' in page
    asked = {"action": "redeliver", "q": "status:dead,expired"}
    assert all(f'name="{name}" value="{value}"' in page for name, value in asked.items())
    preview = await operator.act("/console", "/console/redeliveries/preview", asked)
    assert "Redeliver 1 event?" in await preview.text()
    assert "<button>Acknowledge</button>" in page
    path = "/console/problems/dead_letters/acknowledge"
    answer = await operator.act("/console", path, {"back": "/console"})
    assert (answer.status, answer.headers["Location"]) == (303, "/console?said=acknowledged")
    again = await operator.look("/console?said=acknowledged")
    assert "somebody knows of it" in again
    assert path not in again
    assert "acknowledgeProblem" in await actions(operator.api)


async def test_an_integration_is_paused_with_a_reason_and_resumed(operator: Visitor) -> None:
    await operator.api.emit()
    lane = f"/console/lanes/{operator.integration.id}"
    answer = await operator.act(f"{lane}/pause", f"{lane}/pause", {"reason": "deploy", "for": "1h", "back": "/console"})
    assert answer.status == 303
    page = await operator.look(answer.headers["Location"])
    assert "by admin; deploy; ends in" in page
    assert "<button>Resume</button>" in page
    assert (await operator.act("/console", f"{lane}/resume")).status == 303
    assert "by admin; deploy" not in await operator.look("/console")
    assert {"pauseLane", "resumeLane"} <= await actions(operator.api)


async def test_charts_are_marked_and_show_what_is_due_later(visitor: Visitor) -> None:
    event = await visitor.api.emit()
    await WorkerHand(visitor.api).settle(event["id"], Status.RETRYING, delay_ms=600_000)
    await visitor.sign_in()
    assert "Marks" not in await visitor.look("/console")
    lane = f"/console/lanes/{visitor.integration.id}"
    await visitor.act(f"{lane}/pause", f"{lane}/pause", {"reason": "deploy"})
    page = await visitor.look("/console")
    assert "<h2>Marks</h2>" in page
    assert f"{visitor.integration.name or ''} paused by admin" in page
    assert "Due within the next hour" in page
    await visitor.sign_in_as_new("ops:read", "integrations:read", vendor_id="V-other")
    assert "paused by admin" not in await visitor.look("/console")


async def test_charts_are_marked_where_a_circuit_was_open(operator: Visitor) -> None:
    evaluation = operator.api.http.server.app[VERDICT].evaluation  # type: ignore[attr-defined]
    said = await evaluation.judge(out_of_turn=True)
    lane, now_ms = operator.integration.id, operator.api.services.now_ms()
    closed = Ended(ProblemKind.CIRCUIT_OPEN, lane, None, now_ms - 120_000, now_ms - 60_000)
    gone = replace(closed, integration_id="gone")
    await evaluation.verdicts.write(replace(said, at_ms=said.at_ms + 1, ended=(closed, gone)), "test", out_of_turn=True)
    page = await operator.look("/console")
    assert '>over</span> test could not be reached <span class="dim">for 60 s; ended' in page
    assert page.count(">over</span>") == 1
    assert page.count("can be reached again: its circuit closed") == 1
    assert page.count('<path class="mark is-bad"') == page.count('<path class="mark is-ok"')


@pytest.mark.parametrize(("form", "told"), [({"for": "1x"}, "Give a duration"), ({"until": "soon"}, "Give a time")])
async def test_a_pause_that_cannot_be_read_comes_back_with_what_is_wrong(
    operator: Visitor, form: dict[str, str], told: str
) -> None:
    lane = f"/console/lanes/{operator.integration.id}"
    answer = await operator.act(f"{lane}/pause", f"{lane}/pause", {"reason": "<b>"} | form)
    page = await answer.text()
    assert answer.status in (400, 422)
    assert told in page
    assert 'value="&lt;b&gt;"' in page


async def test_forms_of_other_sessions_and_sites_change_nothing(operator: Visitor) -> None:
    path = f"/console/lanes/{operator.integration.id}/pause"
    token = (await operator.look(path)).partition('name="form" value="')[2].partition('"')[0]
    assert (await operator.send(path, {})).status == 403
    assert (await operator.send(path, {"form": token}, {"Origin": "https://evil.example"})).status == 403
    await operator.sign_in()
    assert (await operator.send(path, {"form": token})).status == 403
    assert "pauseLane" not in await actions(operator.api)


async def test_a_viewer_sees_no_button_and_its_forms_are_refused(visitor: Visitor) -> None:
    event = await visitor.api.emit()
    await WorkerHand(visitor.api).settle(event["id"], Status.RETRYING, delay_ms=60_000)
    await visitor.sign_in_as_new("events:read", "ops:read", "integrations:read")
    page = await visitor.look("/console")
    assert page.count("<button") == 4  # menu, sign out, find, close
    lane = f"/console/lanes/{visitor.integration.id}"
    for path in (f"{lane}/pause", f"{lane}/resume", "/console/problems/x/acknowledge"):
        assert (await visitor.send(path, {})).status == 403
    await visitor.look(f"{lane}/pause", 403)


def test_lines_share_one_scale_and_the_words_say_the_same() -> None:
    drawn = chart("Events", "/s", 0, 120_000, [Series("a", "ok", [0, 5, None, 10]), Series("b", "bad", [0, 0, 0, 0])])
    assert drawn.most == "10/s"
    assert drawn.lines[0].path == "M0.0 116.0L200.0 60.0M600.0 4.0h0"
    assert drawn.summary == "Events, 00:00 to 00:02 UTC. a: 10/s now, 10/s at most; b: 0/s now, 0/s at most."
    assert chart("Events", "", 0, 1, [Series("a", "ok", [0])]).empty
    marked = chart("Events", "", 0, 100, [Series("a", "ok", [1, 2])], [(50, "off"), (100, "bad"), (101, "ok")])
    assert [(one.x, one.look) for one in marked.marks] == [(300, "off"), (600, "bad")]


@pytest.mark.parametrize(("value", "above"), [(0, 1), (0.3, 0.5), (1, 1), (11, 20), (201, 250), (4_999, 5_000)])
def test_scales_end_at_round_numbers(value: float, above: float) -> None:
    assert ceiling(value) == pytest.approx(above)


async def test_a_page_that_refreshes_itself_does_not_keep_the_session_in_use(operator: Visitor) -> None:
    operator.api.clock.now_s += RENEWED_AFTER_S + 1
    by_itself = await operator.api.http.get("/console", headers={"X-Live": "1"})
    assert (by_itself.status, "Set-Cookie" in by_itself.headers) == (200, False)
    looked_at = await operator.api.http.get("/console")
    assert "Set-Cookie" in looked_at.headers


async def test_partitions_that_nobody_owns_are_named(operator: Visitor) -> None:
    assert "No worker runs, and nothing waits" in await operator.look("/console/workers")
    await operator.api.emit()
    page = await operator.look("/console/workers")
    assert "1 event in 4 partitions that no worker owns." in page
    assert page.count(">nobody</span>") == 4
    await operator.sign_in_as_new("ops:read", vendor_id="V")
    await operator.look("/console/workers", 403)


async def test_a_type_is_paused_everywhere_and_resumed_on_the_page_of_pauses(operator: Visitor) -> None:
    assert "Nothing is paused" in await operator.look("/console/pauses")
    event, kind = await operator.api.emit(), "/console/event-types/SUBSCRIPTION_ORDER"
    wrong = await operator.act(f"{kind}/pause", f"{kind}/pause", {"for": "1x"})
    assert (wrong.status, "Give a duration" in await wrong.text()) == (422, True)
    answer = await operator.act(f"{kind}/pause", f"{kind}/pause", {"reason": "deploy", "back": "/console/pauses"})
    assert (answer.status, answer.headers["Location"]) == (303, "/console/pauses?said=type-paused")
    page = await operator.look("/console/pauses")
    assert "1 type of event is paused everywhere." in page
    assert 'deploy <span class="small dim">by admin</span>' in page
    assert "SUBSCRIPTION_ORDER is paused everywhere by admin" in await operator.look("/console")
    shown = await operator.look(f"/console/events/{event['id']}")
    assert SENTENCES[Reason.TYPE_PAUSED] in shown
    assert "<button>Resume the type</button>" in shown
    assert "its type is paused" in await operator.look("/console/events")
    back = {"back": f"/console/events/{event['id']}"}
    assert "Look at the workers" in await operator.look(
        (await operator.act("/console", f"{kind}/resume", back)).headers["Location"]
    )
    assert "Nothing is paused" in await operator.look("/console/pauses")
    assert {"pauseType", "resumeType"} <= await actions(operator.api)
    await operator.look("/console/event-types/nothing/pause", 404)


async def test_every_integration_is_paused_and_resumed_at_once(operator: Visitor) -> None:
    everything = "/console/pauses/all"
    await operator.act(f"{everything}/pause", f"{everything}/pause", {"reason": "move", "back": "/console/pauses"})
    assert "1 integration is paused." in await operator.look("/console/pauses")
    asked = await operator.look(f"{everything}/resume")
    assert "1 integration is paused, and 0 events wait there." in asked
    await operator.act(f"{everything}/resume", f"{everything}/resume", {"back": "/console/pauses"})
    assert "Nothing is paused" in await operator.look("/console/pauses")
    await operator.sign_in_as_new("ops:read", "ops:write", vendor_id="V")
    await operator.look("/console/pauses", 403)
    assert "/console/pauses" not in await operator.look("/console")
    await operator.sign_in_as_new("ops:read")
    assert "<button>Pause" not in await operator.look("/console/pauses")
