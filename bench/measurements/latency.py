"""Time from accepted to received, with arrivals that wait for no answer: at half of saturation, and at fixed rates."""

from __future__ import annotations

from collections.abc import Sequence

from bench.plan import FIXED_RATES, INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, working_deployment
from bench.rig.jobs import job
from dispatcher.cli.bench.children import ChildFailed
from dispatcher.cli.bench.judging import percentile

LOAD = 0.5
SHARES = (0.5, 0.95, 0.99)


async def measure(setup: Setup) -> list[Figure]:
    """First a drain to learn what saturation is, then rounds of arrivals at half of it, and at each fixed rate."""
    async with working_deployment(setup, INTEGRATIONS) as made:
        await made.drain(setup.sink, setup.plan.deliveries, INTEGRATIONS)
        drained = await made.drain(setup.sink, setup.plan.deliveries, INTEGRATIONS)
        half = await _saturation(setup, made, drained.rate_per_s) * LOAD
        found = await _rounds(setup, made, half, "", f"at {half:,.0f}/s, half of saturation, ")
        for rate in FIXED_RATES:
            found += await _rounds(setup, made, rate, f" at {rate:,}/s", "")
    return found


async def _rounds(setup: Setup, made: Deployment, rate_per_s: float, at: str, note: str) -> list[Figure]:
    """``at``: the end of the figures' names."""
    rounds = [await latencies(setup, made, rate_per_s) for _ in range(setup.plan.latency_rounds)]
    accepted_ms, due_ms = zip(*rounds, strict=True)
    return [
        *_percentiles("latency", at, accepted_ms, f"{note}from the receipt"),
        *_percentiles("latency with accept", at, due_ms, "from the moment it was to be sent in"),
    ]


def _percentiles(name: str, at: str, rounds: Sequence[Sequence[float]], note: str) -> list[Figure]:
    return [
        figure(f"{name} p{share * 100:g}{at}", "ms", [percentile(one, share) for one in rounds], note=note)
        for share in SHARES
    ]


async def _saturation(setup: Setup, made: Deployment, drain_rate: float) -> float:
    """Deliveries/s while as many events are being accepted as are delivered: arrivals far above what can be done."""
    seconds = max(1.0, setup.plan.latency_s / 4)
    await _emit(setup, made, drain_rate, seconds)
    times_s = await setup.sink.times_s()
    first, last = len(times_s) // 10, len(times_s) * 9 // 10
    return (last - first) / (times_s[last] - times_s[first])


async def latencies(setup: Setup, made: Deployment, rate_per_s: float) -> tuple[list[float], list[float]]:
    """Milliseconds from the receipt, and from the moment the event was due to be sent in."""
    seen = await _emit(setup, made, rate_per_s, setup.plan.latency_s)
    arrived = dict(zip(await setup.sink.ids(), await setup.sink.times_s(), strict=True))
    accepted_ms = [max(0.0, (arrived[identity] - times[1]) * 1000) for identity, times in seen.items()]
    return accepted_ms, [(arrived[identity] - times[0]) * 1000 for identity, times in seen.items()]


async def _emit(setup: Setup, made: Deployment, rate_per_s: float, seconds: float) -> dict[str, list[float]]:
    assert made.worker is not None
    made.worker.go_on()
    before = await made.delivered()
    await setup.sink.reset(with_ids=True)
    task = {
        "redis_url": made.server.url,
        "rate_per_s": rate_per_s,
        "seconds": seconds,
        "integrations": INTEGRATIONS,
    }
    seen: dict[str, list[float]] = await job("bench.rig.arrivals", task)
    if not seen:
        raise ChildFailed("no event was accepted")
    await made.until_settled(before + len(seen))
    return seen
