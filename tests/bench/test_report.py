"""The benchmark's words for its figures: ratios of paired rounds, verdicts, the files it writes, and its own sink."""

from __future__ import annotations

import asyncio
import io
import os
import platform
import sys
from functools import partial
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from bench.__main__ import MEASUREMENTS, asked_for
from bench.plan import FULL, GOALS, QUICK
from bench.results.figures import Figure, figure
from bench.results.machine import machine, settings
from bench.results.plot import draw
from bench.results.report import notes, quantity, show, write_results
from bench.rig.jobs import cpu_s
from bench.rig.load import request_bytes
from dispatcher.cli.bench.judging import percentile
from dispatcher.cli.bench.load import PAYLOAD_BYTES, payload
from dispatcher.cli.bench.sink import MOST_HEAD_BYTES, Arrivals, Questions, Receiver
from dispatcher.cli.bench.sink_client import Sink

DELIVERIES = "deliveries/s beside bare aiohttp"


def delivered(*pairs: tuple[float, float]) -> Figure:
    return figure(DELIVERIES, "1/s", [own for own, _ in pairs], "bare", [bare for _, bare in pairs])


def test_ratio_is_the_median_of_what_was_measured_right_after_one_another() -> None:
    noisy = delivered((6000, 10_000), (600, 1000), (3500, 5000))
    assert noisy.ratios == (0.6, 0.6, 0.7)
    assert noisy.ratio == 0.6
    assert noisy.value == 3500
    assert noisy.peer_value == 5000


@pytest.mark.parametrize(("own", "met"), [(6000.0, True), (5999.0, False)])
def test_a_goal_with_a_peer_judges_the_ratio(own: float, met: bool) -> None:
    assert delivered((own, 10_000)).met is met


@pytest.mark.parametrize(("p50_ms", "met"), [(10.0, True), (10.1, False)])
def test_a_goal_without_a_peer_judges_the_value(p50_ms: float, met: bool) -> None:
    assert figure("latency p50", "ms", [p50_ms]).met is met


def test_a_figure_without_goal_has_no_verdict() -> None:
    assert figure("API CPU per accept", "µs", [100], "bare", [30]).met is None


def test_a_peer_that_did_nothing_makes_no_ratio() -> None:
    assert delivered((1, 0)).ratio is None


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.0, 1)])
def test_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile([float(n) for n in range(100, 0, -1)], share) == expected


def test_table_names_value_peer_ratio_goal_and_verdict() -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    show([delivered((3000, 10_000)), figure("latency p50", "ms", [3.21], note="at 2,000/s")], console)
    text = console.export_text()
    row = next(line for line in text.splitlines() if DELIVERIES in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        DELIVERIES, "3,000 1/s", "10,000 1/s", "bare", "0.30", "≥ 0.6", "no",
    ]  # fmt: skip
    assert "3.21 ms" in text
    assert "latency p50: at 2,000/s" in text


def test_quantities_keep_three_digits() -> None:
    assert [quantity(value, "µs") for value in (1234.5, 12.345, 0.12345)] == ["1,234 µs", "12.3 µs", "0.123 µs"]


def test_results_hold_every_round_and_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    write_results([delivered((1, 2), (3, 4))], machine(), settings(QUICK, ("deliveries",)), path)
    record = orjson.loads(path.read_bytes())
    assert record["figures"][0]["values"] == [1, 3]
    assert record["figures"][0]["peerValues"] == [2, 4]
    assert record["machine"]["appendfsync"] == "always"
    assert record["machine"]["cores"] == os.cpu_count()
    assert record["settings"]["rounds"] == QUICK.rounds
    assert platform.node() not in path.read_text()


def test_plot_is_written_or_its_absence_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures = [delivered((1, 2)), figure("latency p50", "ms", [5])]
    path = tmp_path / "plot.svg"
    assert draw(figures, path) is path.exists()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert draw(figures, tmp_path / "none.svg") is False


def test_notes_belong_to_the_figures_that_have_one() -> None:
    assert notes([delivered((1, 2)), figure("a", "B", [1], note="why")]) == ["a: why"]


def test_only_measures_what_is_named() -> None:
    asked = asked_for(["--quick", "--only", "latency, memory", "--out", "elsewhere"])
    assert asked.only == ("latency", "memory")
    assert asked.plan is QUICK
    assert asked.out == Path("elsewhere")
    assert asked_for([]).only == tuple(MEASUREMENTS)
    assert asked_for([]).plan is FULL


@pytest.mark.parametrize("only", ["", "speed", "latency,speed"])
def test_unknown_measurements_are_refused(only: str) -> None:
    with pytest.raises(SystemExit) as refused:
        asked_for(["--only", only])
    assert refused.value.code == 2


def test_payloads_have_the_size_that_is_claimed_and_are_not_the_same() -> None:
    bodies = [orjson.dumps(payload(number)) for number in range(200)]
    assert {len(body) for body in bodies} == {PAYLOAD_BYTES}
    assert len(set(bodies)) == len(bodies)
    assert orjson.dumps(payload(7)) == bodies[7]


def test_goals_are_met_and_missed_on_their_own_side() -> None:
    assert GOALS["latency p50"].met_by(0)
    assert GOALS[DELIVERIES].met_by(1)
    assert not GOALS["Redis bytes per delivered event"].met_by(801)


def test_cpu_time_of_a_process_grows_with_its_work() -> None:
    before_s = cpu_s(os.getpid())
    sum(n * n for n in range(3_000_000))
    assert cpu_s(os.getpid()) > before_s


async def test_sink_answers_each_request_however_the_bytes_are_cut_and_questions_elsewhere() -> None:
    arrivals, loop = Arrivals(), asyncio.get_running_loop()
    servers = [await loop.create_server(partial(made, arrivals), "127.0.0.1", 0) for made in (Receiver, Questions)]
    port, asked = (one.sockets[0].getsockname()[1] for one in servers)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    asking = await asyncio.open_connection("127.0.0.1", asked)
    sink = Sink(port, *asking)
    await sink.reset(with_ids=True)
    posted = request_bytes({"port": port, "path": "/x", "token": "t"}, "a" * 300)
    posted = posted.replace(b"\r\nHost", b"\r\nWebhook-Id: one\r\nHost", 1)
    for part in (posted[:40], posted[40:-5], posted[-5:] + posted):
        writer.write(part)
        await asyncio.sleep(0.02)
    writer.write(b"GET /reset HTTP/1.1\r\n\r\n")
    assert [await _answer(reader) for _ in range(3)] == [b'{"success":true}'] * 3
    assert (await sink.count(), await sink.ids()) == (3, ["one", "one", ""])
    times = await sink.times_s()
    assert times == sorted(times)
    writer.write(b"x" * (MOST_HEAD_BYTES + 1))
    assert await reader.readline() == b"HTTP/1.1 400 Bad Request\r\n"
    for one in (writer, asking[1]):
        one.close()
    for server in servers:
        server.close()
        await server.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return await reader.readexactly(int(head.rpartition(b"Content-Length: ")[2].split(b"\r\n")[0]))
