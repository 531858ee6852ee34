"""`dispatcher bench` as people run it: nothing is lost under kill -9, and nothing is left behind."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.e2e.command_line import Shell

pytestmark = pytest.mark.slow


async def test_nothing_is_lost_when_a_worker_and_redis_are_killed_under_load(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    faults = ("--kill-workers", "--restart-redis", "--workers", "1")
    ran = await Shell(tmp_path).run(
        "bench", "--events", "30", "--rate", "30", *faults, "--json", TMPDIR=str(tmp_path / "tmp")
    )
    found = ran.json()
    assert (ran.status, found["accepted"], found["delivered"], found["lost"]) == (0, 30, 30, 0), ran.out + ran.err
    assert sorted(one["what"] for one in found["faults"]) == ["Redis restarted", "worker killed"]
    assert ElementTree.parse(tmp_path / found["plot"]).getroot().tag.endswith("svg")
    assert list((tmp_path / "tmp").iterdir()) == []
