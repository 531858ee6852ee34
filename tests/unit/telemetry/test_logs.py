"""Logs: one line a record, in one form for all loggers, without a secret or a control character."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

import pytest
import structlog
from aiohttp.http_exceptions import BadHttpMessage
from pydantic import SecretStr

from dispatcher.telemetry.logs import configure_logs
from dispatcher.telemetry.masking import safe_lines, safe_text

CANARY = "canary-S3cre1-0123456789"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def logged_to(log_format: str = "json", log_level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configured(stream, log_format, log_level)
    return stream


def configured(stream: TextIO, log_format: str = "json", log_level: str = "info") -> None:
    configure_logs(log_level, log_format, stream)


def only_record(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    record: dict[str, Any] = json.loads(line)
    return record


def test_record_is_one_line_of_json_with_utc_time() -> None:
    stream = logged_to()
    structlog.get_logger("dispatcher").info("attempt", event_id="e1", status=200, ms=1.5, ok=True, cause=None)
    record = only_record(stream)
    assert datetime.fromisoformat(record.pop("at")).tzinfo == UTC
    assert record == {
        "level": "info",
        "event": "attempt",
        "event_id": "e1",
        "status": 200,
        "ms": 1.5,
        "ok": True,
        "cause": None,
    }


def test_context_of_a_request_is_in_every_record() -> None:
    stream = logged_to()
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().warning("refused")
    assert only_record(stream)["request_id"] == "r1"


def test_library_loggers_speak_the_same_form() -> None:
    stream = logged_to()
    logging.getLogger("aiohttp.server").error("Error handling %s", "request")
    record = only_record(stream)
    assert (record["level"], record["logger"], record["event"]) == (
        "error",
        "aiohttp.server",
        "Error handling request",
    )


@pytest.mark.parametrize("name", ["authlib", "authlib.oauth2.rfc6749", "aiohttp.client", "asyncio", "redis"])
def test_debug_level_leaves_out_libraries_that_print_tokens(name: str) -> None:
    stream = logged_to(log_level="debug")
    logging.getLogger(name).debug("Issue token %r", CANARY)
    structlog.get_logger().debug("ours")
    assert only_record(stream)["event"] == "ours"


def test_unreadable_requests_do_not_fill_the_logs() -> None:
    stream = logged_to()
    logger = logging.getLogger("aiohttp.server")
    for error in (BadHttpMessage("Too many headers received"), KeyError("ours")):
        try:
            raise error
        except Exception:
            logger.exception("Error handling request")
    assert "KeyError: 'ours'" in only_record(stream)["exception"]


def test_records_below_the_level_are_not_written() -> None:
    stream = logged_to(log_level="warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("aiohttp").info("quiet")
    assert stream.getvalue() == ""


def test_auto_is_json_unless_it_is_a_terminal() -> None:
    stream = logged_to("auto")
    structlog.get_logger().info("hello")
    assert only_record(stream)["event"] == "hello"

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    configure_logs("info", "auto", terminal)
    structlog.get_logger().info("hello")
    assert "\x1b[" in terminal.getvalue()
    assert "hello" in terminal.getvalue()


SECRETS: list[dict[str, object]] = [
    {"headers": {"Authorization": f"Bearer {CANARY}"}},
    {"headers": [("Cookie", f"session={CANARY}")]},
    {"text": f"Authorization: Digest {CANARY}"},
    {"text": f"Authorization: Bearer {CANARY}"},
    {"text": f"{{'Authorization': 'Basic {CANARY}'}}"},
    {"text": f"Set-Cookie: id={CANARY}; Path=/"},
    {"text": f"headers [(b'Authorization', b'Bearer {CANARY}')]"},
    {"client_secret": CANARY},
    {"clientSecret": CANARY},
    {"nested": [{"password": CANARY}]},
    {"token": SecretStr(CANARY)},
    {"body": f"grant_type=client_credentials&client_secret={CANARY}&client_assertion={CANARY}"},
    {"body": f'{{"access_token": "{CANARY}"}}'.encode()},
    {"url": f"redis://user:{CANARY}@host:6379/0"},
    {"url": f"redis+sentinel://:{CANARY}@host"},
    {"secret_": "whsec_" + CANARY.replace("-", "")},
    {"key": "whsk_" + CANARY.replace("-", "")},
    {"jwt": f"eyJhbGciOiJSUzI1NiJ9.{CANARY}.{CANARY}"},
]


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("fields", SECRETS, ids=repr)
def test_secrets_are_masked(fields: dict[str, object], log_format: str) -> None:
    stream = logged_to(log_format)
    structlog.get_logger().info("sent", **fields)
    logging.getLogger("aiohttp").info("sent %s", fields)
    try:
        raise ValueError(str(fields))
    except ValueError:
        structlog.get_logger().exception("failed")
        logging.getLogger("arq").exception("failed")
    assert CANARY not in stream.getvalue()
    assert CANARY.replace("-", "") not in stream.getvalue()
    assert "sent" in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("raw", ["\n", "\r\n", "\x1b[2J", "\x00", "\x9b31m", "\u2028", "\u202e"], ids=repr)
def test_bi56_control_characters_are_escaped_in_names_values_and_messages(raw: str, log_format: str) -> None:
    stream = logged_to(log_format)
    forged = f"x{raw}2026-01-01 [info] forged"
    structlog.get_logger().info(forged, value=forged, deep=[{"k": forged}], **{forged: 1})
    logging.getLogger("aiohttp").info("%s", forged)
    (ours, theirs, end) = stream.getvalue().split("\n")
    assert end == ""
    for line in (ours, theirs):
        assert raw not in line
        text = str(json.loads(line)) if log_format == "json" else line
        assert raw not in text


def test_bi56_traceback_cannot_pass_for_a_record() -> None:
    stream = logged_to("console")
    try:
        raise ValueError("x\n2026-01-01 [info] forged\x1b[2J")
    except ValueError:
        structlog.get_logger().exception("failed")
    first, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert "failed" in first
    assert any("forged" in line for line in rest)
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in "".join(rest)


def test_traceback_is_part_of_the_json_record() -> None:
    stream = logged_to()
    try:
        raise ValueError("why")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "ValueError: why" in only_record(stream)["exception"]


def test_ordinary_text_stays_as_it_is() -> None:
    for text in ("http://127.0.0.1:8080/a?b=c@d", "POST /v1/events 202", "größer", "a: b", "cookies are fine"):
        assert safe_text(text) == text
    assert safe_lines("a\nb") == ["a", "b"]


def test_long_values_are_cut() -> None:
    assert len(safe_text("x" * 1_000_000)) < 20_000
