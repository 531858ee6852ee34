"""`dispatcher metrics` against a running API: numbers and bars for people, the API's own answers for programs."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.store.history.fleet import FleetHistory
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api
from tests.api.test_figures import figures, ids_of, past_of
from tests.cli.in_process import Ended, dispatcher

SINCE = "2027-01-15T07:00:00Z"


async def metrics(api: Api, capsys: pytest.CaptureFixture[str], *arguments: str) -> Ended:
    where = ("--url", str(api.http.make_url("")), "--client-id", ADMIN_ID, "--client-secret", ADMIN_SECRET)
    capsys.readouterr()
    return await asyncio.to_thread(dispatcher, capsys, "metrics", "--since", SINCE, *where, *arguments)


async def test_the_past_is_drawn_and_told_in_numbers(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    integration_id, number = await ids_of(api)
    await past_of(api, integration_id, 60, figures(ok=3, failed=2))
    await FleetHistory(api.redis).add(api.clock.now_ms(), figures(ok=3, failed=2, accepted=4))
    shown = await metrics(api, capsys)
    assert (shown.status, shown.err) == (0, "")
    lines = {line[:15].strip(): line[15:] for line in shown.out.splitlines()}
    assert lines["accepted"].split() == ["4", "▁" * 60 + "█"]
    assert "p50 2 ms, p99 5 ms" in lines["latency"]
    assert [line.split()[1:3] for line in shown.out.splitlines() if line.startswith("test ")] == [["5", "2"]]
    found = (await metrics(api, capsys, "--json")).json()
    assert found["series"]["totals"]["attempts"] == 5
    assert found["integrations"]["data"][0]["integrationId"] == integration_id
    one = (await metrics(api, capsys, "--json", "--integration", str(number))).json()
    assert one["series"]["totals"]["failures"] == 2
    assert "integrations" not in one


async def test_a_refusal_names_what_is_wrong(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    refused = await metrics(api, capsys, "--step", "7")
    assert refused.status == 2
    assert "60 s or a multiple" in refused.err
    assert (await metrics(api, capsys, "--integration", "nobody")).status == 1
