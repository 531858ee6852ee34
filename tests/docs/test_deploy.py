"""The deployment kit: dashboard, recording rules and alerts name what is really exported, and say what they promise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.settings import Settings
from dispatcher.store.keys import definitions as keys
from dispatcher.store.secrets.sealing import new_key
from dispatcher.telemetry.watchdog import Watchdog
from tests.ports import free_port
from tests.programs import Ran, completed
from tests.serving import listening
from worker.metrics import metrics_site, registry_of
from worker.partition.owner import Owner

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD = DEPLOY / "grafana/dashboard.json"
RULES = DEPLOY / "prometheus"
NAME = re.compile(r"\bdispatcher_\w+")


def promtool(*arguments: str, folder: Path = RULES) -> Ran:
    """`.ci/install-programs` installs it."""
    return completed(["promtool", *arguments], folder)


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> Iterator[str]:
    for panel in panels():
        yield from (target["expr"] for target in panel["targets"])


def used() -> set[str]:
    """Every metric that a file of the kit names."""
    files = [DASHBOARD, *RULES.glob("*.yml")]
    return {name for file in files for name in NAME.findall(file.read_text())}


def series_of(page: str) -> set[str]:
    """Names that a query may ask for: those of samples, and those of histograms' parts."""
    return {sample.name for family in text_string_to_metric_families(page) for sample in family.samples}


async def test_every_metric_that_the_kit_names_is_exported(redis: Redis) -> None:
    settings = Settings.model_validate({"secret_keys": (new_key(),), "partitions": 2})
    await redis.set(keys.SEALED_STALE, 0)  # of which nothing is known before somebody counted
    api = await listening(await build_app(settings, redis))
    port, owner = free_port(), cast("Owner", SimpleNamespace(in_flight=0, partitions={}, worker_id="w"))
    registry = registry_of(owner, lambda: False, Watchdog("w"))
    async with metrics_site("127.0.0.1", port, owner, registry), aiohttp.ClientSession() as session:
        of_worker = await (await session.get(f"http://127.0.0.1:{port}/metrics")).text()
        exported = series_of(await (await api.get("/metrics")).text()) | series_of(of_worker)
    await api.close()
    assert used() - exported == set()
    assert len(used()) > 20


def test_the_dashboard_is_whole() -> None:
    board = json.loads(DASHBOARD.read_text())
    variables = {one["name"] for one in board["templating"]["list"]}
    asked = set(re.findall(r"\$\{?(\w+)", DASHBOARD.read_text())) - {"__rate_interval", "__all"}
    assert asked == variables
    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert all(panel["title"] and panel["description"] and panel["targets"] for panel in panels())
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_expression_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{n}", "expr": one.replace("$__rate_interval", "5m").replace("$job", ".*")}
        for n, one in enumerate(expressions())
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    checked = promtool("check", "rules", "rules.yml", folder=tmp_path)
    assert checked.status == 0, checked.said
    assert f"{len(rules)} rules found" in checked.out


def test_prometheus_takes_the_configuration_with_every_file_of_rules() -> None:
    checked = promtool("check", "config", "prometheus.yml")
    assert checked.status == 0, checked.said
    rules = [file.name for file in RULES.glob("*.yml") if "groups:" in file.read_text()]
    assert [name for name in rules if f"- {name}\n" not in (RULES / "prometheus.yml").read_text()] == []


@pytest.mark.parametrize("test", sorted(file.name for file in RULES.glob("*_test.yml")))
def test_rules_do_what_their_tests_say(test: str) -> None:
    ran = promtool("test", "rules", test)
    assert ran.status == 0, ran.said


def test_every_rule_is_tested() -> None:
    texts = {file.name: file.read_text() for file in RULES.glob("*.yml")}
    tests = "\n".join(text for name, text in texts.items() if name.endswith("_test.yml"))
    named = [
        name for text in texts.values() for name in re.findall(r"^ *- (?:record|alert): (\S+)$", text, re.MULTILINE)
    ]
    assert named
    assert [name for name in named if name not in tests] == []
