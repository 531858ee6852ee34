"""Leads what Python itself reports into the log: warnings, and exceptions that nobody caught, in whichever thread.

They would be plain text on standard error, several lines each, between lines of JSON. Catches and ends nothing.
"""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType

import structlog

log = structlog.get_logger("python")


def log_reports() -> None:
    """For a process whose logs are set up; for as long as it lives."""
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    log.critical("process broke off", error=repr(error), exc_info=(kind, error, trace))


def _uncaught_in_thread(report: threading.ExceptHookArgs) -> None:
    thread, error = report.thread.name if report.thread else None, report.exc_value
    if error is not None:  # None = it was freed already
        log.error("thread broke off", thread=thread, error=repr(error), exc_info=_info(error))


def _unraisable(report: sys.UnraisableHookArgs) -> None:
    error = report.exc_value
    where = {"message": report.err_msg or "Exception ignored", "object": repr(report.object)}
    if error is None:
        log.error("exception ignored", **where)
    else:
        log.error("exception ignored", **where, error=repr(error), exc_info=_info(error))


def _info(error: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    return type(error), error, error.__traceback__
