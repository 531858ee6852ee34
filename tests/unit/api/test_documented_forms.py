"""Forms that the OpenAPI document gives for a value are taken by the code: it promises nothing that is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import TypeAdapter

from dispatcher.api.http.request.parameters import SCHEDULE
from dispatcher.api.http.request.query import TIME, moment_ms
from dispatcher.api.rest.installations.marketplace_models import Logo
from dispatcher.api.rest.models import EpochMs, Origin
from dispatcher.api.rest.operating.lane_models import Duration
from dispatcher.flow.sessions.marketplaces import is_origin
from dispatcher.policy.installing.brand import image_refusal
from dispatcher.policy.pace.pauses import pause_end


def documented(model: Any, text: str) -> bool:
    return re.fullmatch(TypeAdapter(model).json_schema()["pattern"], text) is not None


@pytest.mark.parametrize("text", ["1s", "999999S", "99999m", "2099h", "1999H", "90d", "10d", "9D", "89d"])
def test_documented_durations_are_taken(text: str) -> None:
    assert documented(Duration, text)
    assert pause_end(text, None, 0)


@pytest.mark.parametrize("text", ["0s", "91d", "2161h", "1000000s", "2 h", "h", "1w"])
def test_other_durations_are_not_documented(text: str) -> None:
    assert not documented(Duration, text)


@pytest.mark.parametrize("text", ["https://a", "http://a-b.c.example:1", "https://1.2.3.4:9999", "https://x--y.z"])
def test_documented_origins_are_taken(text: str) -> None:
    assert documented(Origin, text)
    assert is_origin(text)


@pytest.mark.parametrize("text", ["https://A", "https://a/", "https://a:0", "ftp://a", "https://-", "https://a b"])
def test_other_origins_are_not_documented(text: str) -> None:
    assert not documented(Origin, text)


@pytest.mark.parametrize(
    "text",
    ["0", "99999999999999", "1970-01-02T00:00:00", "9998-12-31T23:59:59.123456789Z", "2026-02-28T09:30:00-23:59"],
)
def test_documented_times_are_taken(text: str) -> None:
    assert re.fullmatch(TIME, text)
    assert moment_ms({"from": text}, "from") is not None


@pytest.mark.parametrize("text", ["", "1969-12-31T00:00:00", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00", "soon"])
def test_other_times_are_not_documented(text: str) -> None:
    assert not re.fullmatch(TIME, text)


@pytest.mark.parametrize(
    ("text", "taken"), [("", 1), ("5,2592000", 1), ("2591999.999", 1), ("2592000.1", 0), ("3e6", 0)]
)
def test_a_schedule_has_delays_of_a_month_at_most(text: str, taken: int) -> None:
    assert bool(re.fullmatch(SCHEDULE, text)) == bool(taken)


@pytest.mark.parametrize("logo", ["data:image/png;base64,AAAA", "/logo.png", "/images/logo.svg"])
def test_documented_logos_are_taken(logo: str) -> None:
    assert documented(Logo, logo)
    assert image_refusal(logo) is None


@pytest.mark.parametrize(("value", "taken"), [(12.0, 12), (12, 12)])
def test_a_whole_number_may_be_written_with_a_point(value: object, taken: int) -> None:
    assert TypeAdapter(EpochMs).validate_python(value, strict=True) == taken


@pytest.mark.parametrize("value", [12.5, True, "12", float("inf")])
def test_nothing_else_is_taken_for_a_whole_number(value: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TypeAdapter(EpochMs).validate_python(value, strict=True)
