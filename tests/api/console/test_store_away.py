"""Pages of the console while the store does not answer: what is away, what goes on, and no form sent twice."""

from __future__ import annotations

import pytest

from dispatcher.api.watch.verdict import VERDICT
from dispatcher.errors import StoreUnavailable
from dispatcher.store.access.saved_views import SavedViewStore
from tests.api.console.conftest import Visitor
from tests.api.console.page_text import sound


async def away(*_: object) -> None:
    raise StoreUnavailable("no answer")


async def test_a_page_says_what_is_away_what_goes_on_and_looks_again(
    operator: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = operator.api.http.app[VERDICT]
    token = (await operator.look("/console/views/new")).partition('name="form" value="')[2].partition('"')[0]
    for name in ("all", "edit"):
        monkeypatch.setattr(SavedViewStore, name, away)
    page = sound(await operator.look("/console/events?q=status:dead", 503))
    assert ("did not answer in time" in page, "goes on by itself, in its order" in page) == (True, True)
    assert ('href="/console/events?q=status:dead">Look again</a>' in page, "data-again" in page) == (True, True)
    monkeypatch.setattr(watch, "away_since_ms", operator.api.services.now_ms() - 180_000)
    assert "UTC, 3 min ago</time>" in await operator.look("/console/views", 503)
    form = {"form": token, "name": "x", "q": "status:dead"}
    answer = await operator.send("/console/views", form)
    page = sound(await answer.text())
    assert (answer.status, "whether this was done is unknown" in page) == (503, True)
    assert ("data-again" in page, "http-equiv" in page, "Look again" in page) == (False, False, False)
