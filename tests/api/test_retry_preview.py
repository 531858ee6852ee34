"""Planned times over HTTP, for schedules that nobody has saved yet."""

from __future__ import annotations

import pytest

from tests.api.conftest import Api


async def times(api: Api, query: str) -> list[float]:
    found = await api.json("GET", f"/v1/retry-preview{query}", 200)
    return [one["atSeconds"] for one in found["attempts"]]


async def test_every_attempt_is_listed_with_its_spread(api: Api) -> None:
    found = await api.json("GET", "/v1/retry-preview?schedule=5,60&maxAge=70", 200)
    assert found["attempts"][2] == {"n": 3, "atSeconds": 65, "earliestSeconds": 52, "latestSeconds": 70}


async def test_the_deployments_schedule_is_the_default_and_an_empty_one_has_no_retries(api: Api) -> None:
    assert len(await times(api, "")) == len(api.services.deployment.retry_schedule_s) + 1
    assert await times(api, "?schedule=") == [0]
    assert await times(api, "?schedule=0.5,1&maxAge=1.2") == [0, 0.5]


@pytest.mark.parametrize("value", ["x", "5,", ",5", "5,,6", "-1", "1e3", "nan", "2592001", ",".join(["1"] * 51), "٣"])
async def test_an_unreadable_schedule_is_refused(api: Api, value: str) -> None:
    await api.refused("GET", f"/v1/retry-preview?schedule={value}", 400, "invalid_parameter", "schedule")


@pytest.mark.parametrize("value", ["", "0", "0.9", "x", "inf", "2592001"])
async def test_an_unreadable_age_is_refused(api: Api, value: str) -> None:
    await api.refused("GET", f"/v1/retry-preview?maxAge={value}", 400, "invalid_parameter", "maxAge")
