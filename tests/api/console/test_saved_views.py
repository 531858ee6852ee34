"""Filters that people save under a name: theirs alone, or shared by those who act, and what is written down of it."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping

from dispatcher.errors import Conflict
from dispatcher.flow.access.saved_views import Draft, ViewDesk
from dispatcher.model.access import Caller, Scope
from dispatcher.model.status import Status
from dispatcher.policy.saved_views import MOST
from dispatcher.store.access.saved_views import SavedViewStore
from tests.api.audit_entries import newest
from tests.api.conftest import ADMIN_ID
from tests.api.console.conftest import Visitor
from tests.api.console.page_text import sound
from tests.api.worker_hand import WorkerHand

VIEWS, NEW, LIST = "/console/views", "/console/views/new", "/console/events"
DEAD = {"name": "Died today", "q": "status:dead attempts<9"}
LOOKS = ("events:read", "ops:read")


async def save(visitor: Visitor, form: Mapping[str, str] = DEAD, status: int = 303) -> str:
    """Address that the browser is sent to, or the page that says why not."""
    answer = await visitor.act(NEW, VIEWS, form)
    text = await answer.text()
    assert answer.status == status, text
    return answer.headers["Location"] if status == 303 else html.unescape(sound(text))


async def saved(visitor: Visitor) -> dict[str, str]:
    """Names of all views that are seen, and where each is changed; empty = it cannot be."""
    shown = sound(await visitor.look(VIEWS))
    found = re.findall(r'<tr><td class="long"><a href="[^"]+">([^<]+)</a>.*?</tr>', shown, re.DOTALL)
    rows = re.findall(r"<tr><td.*?</tr>", shown, re.DOTALL)
    changed = [re.search(rf'href="({VIEWS}/[^"]+)"', row) for row in rows]
    return {html.unescape(name): at[1] if at else "" for name, at in zip(found, changed, strict=True)}


async def test_a_filter_is_saved_stands_above_the_list_and_finds_the_same(operator: Visitor) -> None:
    event = await operator.api.emit()
    await WorkerHand(operator.api).settle(event["id"], Status.DEAD)
    listed = await operator.look(f"{LIST}?q=status%3Adead+attempts%3C9")
    assert f'href="{NEW}?q=status%3Adead+attempts%3C9">Save as a view…</a>' in listed
    path = await save(operator)
    assert path == f"{LIST}?q=status%3Adead+attempts%3C9&said=view-saved"
    shown = sound(await operator.look(path))
    assert 'aria-current="true" title="status:dead attempts&lt;9">Died today</a>' in shown
    assert (event["id"] in shown, "Saved as a view" in shown, "Save as a view…" in shown) == (True, True, False)
    entry = await newest(operator.api)
    assert (entry["action"], entry["kind"], entry["clientId"]) == ("saveView", "consoleView", ADMIN_ID)
    assert entry["after"] == {"name": "Died today", "conditions.q": "status:dead attempts<9", "shared": False}


async def test_a_view_is_renamed_given_another_filter_and_deleted(operator: Visitor) -> None:
    await save(operator, DEAD | {"accountId": "A-1"})
    page = (await saved(operator))["Died today"]
    form = sound(await operator.look(page))
    assert ('value="status:dead attempts&lt;9"' in form, 'name="accountId" value="A-1"' in form) == (True, True)
    modified = re.findall(r'name="modified" value="(\d+)"', form)[0]
    changed = {"name": "Refused", "q": "status:failed", "accountId": "", "modified": modified}
    answer = await operator.act(page, page, changed)
    assert answer.headers["Location"] == f"{LIST}?q=status%3Afailed&said=view-changed"
    assert (await newest(operator.api))["before"]["conditions.accountId"] == "A-1"
    operator.api.clock.now_s += 1
    assert (await operator.act(page, page, changed | {"modified": "1"})).status == 409
    assert (await operator.act(page, f"{page}/delete")).headers["Location"] == f"{VIEWS}?said=view-deleted"
    assert (await newest(operator.api))["action"] == "deleteView"
    assert "A view is a filter under a name" in await operator.look(VIEWS)
    await operator.look(page, 404)


WRONG: dict[str, tuple[int, dict[str, str]]] = {
    "choose another name": (409, {"name": "died TODAY", "q": "status:failed"}),
    "Give one line of 1 to 60": (422, {"name": "", "q": "status:failed"}),
    "there is no field stauts; status?": (400, {"name": "x", "q": "stauts:dead"}),
    "a view is a filter": (400, {"name": "x", "q": " "}),
    "Give a time as": (400, {"name": "x", "from": "yesterday"}),
}


async def test_what_cannot_be_saved_is_said_beside_its_field(operator: Visitor) -> None:
    await save(operator)
    for words, (status, form) in WRONG.items():
        page = await save(operator, form, status)
        assert words in page
        assert page.count('aria-invalid="true"') == 1
        assert f'name="name" value="{form["name"]}"' in page
    assert list(await saved(operator)) == ["Died today"]


async def test_views_are_private_or_shared_by_those_who_act(visitor: Visitor) -> None:
    await visitor.sign_in()
    await save(visitor)
    await save(visitor, {"name": "Ours", "q": "status:retrying", "shared": "true"})
    page = (await saved(visitor))["Ours"]
    await visitor.sign_in_as_new(*LOOKS)
    assert await saved(visitor) == {"Ours": ""}
    listed = sound(await visitor.look(f"{LIST}?q=status%3Aretrying"))
    assert 'shared by admin">Ours</a>' in listed
    assert ("Change this view" in listed, "Save as a view…" in listed) == (False, True)
    assert 'name="shared"' not in await visitor.look(NEW)
    await visitor.look(page, 403)
    for path in (page, f"{page}/delete"):
        assert (await visitor.act(NEW, path, DEAD)).status == 403
    answer = await visitor.act(NEW, VIEWS, DEAD | {"shared": "true"})
    assert answer.status == 403
    await save(visitor)
    assert (await newest(visitor.api))["action"] == "saveView"
    assert list(await saved(visitor)) == ["Died today", "Ours"]
    assert (await saved(visitor))["Died today"] != ""


async def test_whoever_is_bound_to_a_vendor_learns_nothing_of_views_of_others(visitor: Visitor) -> None:
    await visitor.sign_in()
    await save(visitor, DEAD | {"shared": "true"})
    page = (await saved(visitor))["Died today"]
    await visitor.sign_in_as_new(*LOOKS, "events:write", vendor_id="V-1")
    assert await saved(visitor) == {}
    for path in (page, f"{page}/delete"):
        assert (await visitor.act(NEW, path, DEAD)).status == 404
    assert "everybody who is bound to the same vendor sees it" in await visitor.look(NEW)
    await save(visitor, {"name": "Vendor's", "q": "status:dead", "shared": "true"})
    await visitor.sign_in_as_new(*LOOKS, vendor_id="V-1")
    assert list(await saved(visitor)) == ["Vendor's"]
    await visitor.sign_in_as_new(*LOOKS, vendor_id="V-2")
    assert await saved(visitor) == {}


def desk(visitor: Visitor) -> ViewDesk:
    """The administrator's, without the audit log."""
    admin = Caller(ADMIN_ID, frozenset({Scope.OPS_WRITE}))
    return ViewDesk(SavedViewStore(visitor.api.redis), admin, "", visitor.api.services.now_ms())


async def test_of_those_who_save_at_once_all_are_kept_and_one_name_is_given_once(operator: Visitor) -> None:
    names = [f"v{n}" for n in range(6)] + ["same"] * 4
    saving = (desk(operator).save(Draft(name, {"q": "status:dead"}, shared=False)) for name in names)
    outcomes = await asyncio.gather(*saving, return_exceptions=True)
    assert sum(isinstance(one, Conflict) for one in outcomes) == 3
    assert sorted(await saved(operator)) == sorted(set(names))


async def test_the_list_of_views_is_bounded_and_its_names_are_shown_as_text(operator: Visitor) -> None:
    for name in ["<b>bold</b>", *(f"v{n}" for n in range(MOST - 1))]:
        await desk(operator).save(Draft(name, {"q": 'account:"<i>"'}, shared=False))
    page = await save(operator, {"name": "one more", "q": "status:dead"}, 409)
    assert "delete one that nobody needs" in page
    shown = sound(await operator.look(f"{LIST}?q=account%3A%22%3Ci%3E%22"))
    assert ("<b>bold" in shown, "<i>" in shown) == (False, False)
    assert (shown.count('aria-current="true" title='), f"All views, {MOST - 8} more" in shown) == (MOST, False)
    assert f">All views, {MOST - 8} more</a>" in await operator.look(LIST)


async def test_a_page_of_another_site_saves_nothing(operator: Visitor) -> None:
    token = re.findall(r'name="form" value="([^"]+)"', await operator.look(NEW))[0]
    for headers in ({"Origin": "https://evil.example"}, {}):
        assert (await operator.send(VIEWS, {"form": token} | DEAD, headers)).status == 403
    assert (await operator.send(VIEWS, {"form": "x"} | DEAD)).status == 403
    assert (await operator.send(VIEWS, {"form": token} | DEAD)).status == 303
