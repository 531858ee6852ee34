"""The soak in its shortest form: everything of it is tried, little of it is proven. `make soak` takes its time."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.faults.deployment import FULL
from tests.faults.soak import Plan, soak

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SEED = 44


async def test_ft44_random_faults_under_load_lose_nothing_and_keep_the_order(tmp_path: Path) -> None:
    report = tmp_path / "soak.json"
    plan = Plan(600, 60, 60, 20, SEED, report) if FULL else Plan(12, 60, 30, 2, SEED, report)
    assert await soak(plan), report.read_text()
    document = orjson.loads(report.read_bytes())
    assert len(document["faults"]) >= 3
    assert document["attempts"] > 100
