"""Sets up logging for a process: structlog for ours, the same form for the libraries'. Never prints a secret.

One record is one line, whatever the values hold: JSON for machines, colours for a terminal. Logging never raises
because a line cannot be written (``dispatcher.telemetry.log_lines``).
"""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from functools import partial
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from dispatcher.telemetry.log_lines import LogLines
from dispatcher.telemetry.masking import safe_lines, safe_record
from dispatcher.telemetry.repeats import Repeats

LIBRARY_LEVELS = {
    "aiohttp": logging.INFO,
    "arq": logging.WARNING,
    "asyncio": logging.INFO,
    "authlib": logging.INFO,
    "opentelemetry": logging.WARNING,
    "redis": logging.INFO,
}
"""The least level of each library: below it authlib and aiohttp print tokens, and arq a line for every job."""

TRACEBACK = "exception"


def configure_logs(log_level: str, log_format: str, stream: TextIO) -> None:
    """From here on every record of this process goes to ``stream``; calling it again replaces the set-up."""
    level = logging.getLevelNamesMapping()[log_level.upper()]
    render = _renderer(log_format, stream)
    repeats = Repeats()
    lines = LogLines(stream, partial(_dropped, render))
    structlog.configure(
        processors=[repeats, structlog.contextvars.merge_contextvars, *_shared(), render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    _route_libraries(level, render, lines, repeats)


def _shared() -> list[Processor]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def last_line(error: str) -> str:
    """A line of JSON by a process that ends with this error, or that could not begin."""
    return _line(render_json, "error", {"event": "process ended", "error": error})


def _dropped(render: Processor, count: int) -> str:
    """The line with the number of those that could not be written."""
    reason = "they could not be written"
    return _line(render, "warning", {"event": "log lines dropped", "not_written": count, "reason": reason})


def _line(render: Processor, method: str, record: Any) -> str:
    for process in (*_shared(), render):
        record = process(None, method, record)
    return str(record)


def _route_libraries(level: int, render: Processor, lines: LogLines, repeats: Repeats) -> None:
    handler = logging.StreamHandler(lines)
    handler.addFilter(repeats.filter)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *_shared()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    root = logging.getLogger()
    for previous in root.handlers[:]:
        if isinstance(previous.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(previous)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(max(level, least))
    logging.getLogger("aiohttp.server").addFilter(is_our_fault)


def is_our_fault(record: logging.LogRecord) -> bool:
    """False for requests that aiohttp cannot parse: it answers 400, and a flood of them must not fill the logs."""
    from aiohttp.http_exceptions import HttpProcessingError  # a tenth of a supervisor's start, which serves nobody

    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _renderer(log_format: str, stream: TextIO) -> Processor:
    terminal = stream.isatty()
    if log_format == "json" or (log_format == "auto" and not terminal):
        return render_json
    return _Console(structlog.dev.ConsoleRenderer(colors=terminal))


def render_json(_logger: WrappedLogger, _method: str, record: EventDict) -> str:
    """One line of JSON; ``event`` and ``at`` first."""
    ordered = {"at": record.pop("at", None), "level": record.pop("level", None), "event": record.pop("event", None)}
    return orjson.dumps(safe_record(ordered | dict(record)), default=str, option=orjson.OPT_NON_STR_KEYS).decode()


class _Console:
    """Coloured lines; a traceback follows its line, indented so that it cannot pass for another record."""

    def __init__(self, renderer: structlog.dev.ConsoleRenderer) -> None:
        self._render = renderer

    def __call__(self, logger: WrappedLogger, method: str, record: MutableMapping[str, Any]) -> str:
        traceback = record.pop(TRACEBACK, None)
        values: dict[str, Any] = safe_record(record)
        values["timestamp"] = values.pop("at", "")
        lines = [str(self._render(logger, method, values))]
        if traceback:
            lines += [f"    | {line}" for line in safe_lines(str(traceback))]
        return "\n".join(lines)
