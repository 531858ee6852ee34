"""A traceparent is read as the recommendation says; whatever else a header holds is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.notification.trace_context import TraceContext, read_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (GOOD, GOOD),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"01-{TRACE}-{SPAN}-01", GOOD),
        (f"cc-{TRACE}-{SPAN}-01-what-the-future-brings", GOOD),
    ],
)
def test_contexts_are_read(sent: str, kept: str) -> None:
    context = read_traceparent(sent)
    assert context is not None
    assert str(context) == kept


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "nonsense",
        GOOD.upper(),
        GOOD + "-more",
        GOOD + "\n",
        f" {GOOD}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-0g",
        f"01-{TRACE}-{SPAN}-01.future",
        f"01-{TRACE}-{SPAN}-01-\r\nX: y",
        f"01-{TRACE}-{SPAN}-01-" + "x" * 600,
        f"00-{TRACE}-{SPAN}",
    ],
)
def test_whatever_else_is_sent_is_no_context(sent: str) -> None:
    assert read_traceparent(sent) is None


@given(st.text(max_size=80))
def test_no_text_breaks_it(sent: str) -> None:
    context = read_traceparent(sent)
    assert context is None or isinstance(context, TraceContext)
