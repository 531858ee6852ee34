"""Answers to a notification, as docs/delivery.md reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson


class ErrorCode(StrEnum):
    """The words of a refusal. All but PENDING end the event."""

    USER_ALREADY_EXISTS = "USER_ALREADY_EXISTS"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    MAX_USERS_REACHED = "MAX_USERS_REACHED"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    OPERATION_CANCELLED = "OPERATION_CANCELLED"
    CONFIGURATION_ERROR = "CONFIGURATION_ERROR"
    INVALID_RESPONSE = "INVALID_RESPONSE"
    PENDING = "PENDING"
    BINDING_NOT_FOUND = "BINDING_NOT_FOUND"
    TRANSPORT_ERROR = "TRANSPORT_ERROR"
    INVALID_OPERATION = "INVALID_OPERATION"
    NOT_FOUND = "NOT_FOUND"
    UNKNOWN_ERROR = "UNKNOWN_ERROR"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON and headers beside ``Content-Type``."""

    status: int
    document: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def final(self) -> bool:
        """The work is done or begun, so that a repeat gets this answer again. After a refusal nothing was done."""
        return self.status == 202 or (self.status == 200 and self.document.get("success") is True)

    def body(self) -> bytes:
        return orjson.dumps(dict(self.document))


def succeeded(account_identifier: str | None = None, message: str | None = None) -> Answer:
    """Done. An order is answered with your name for the account, which its later events carry."""
    more = {"accountIdentifier": account_identifier, "message": message}
    return Answer(200, {"success": True} | {name: value for name, value in more.items() if value is not None})


def refused(code: ErrorCode | str, message: str = "") -> Answer:
    """Not done, and not to be tried again by itself."""
    return Answer(200, {"success": False, "errorCode": str(code), "message": message})


def pending(message: str = "") -> Answer:
    """Not ready yet: to be tried again by the schedule."""
    return refused(ErrorCode.PENDING, message)


def later() -> Answer:
    """Received; the result is reported with ``Results.report``."""
    return Answer(202)


def busy(retry_after_s: int) -> Answer:
    """Everything of this integration is to wait so long."""
    return Answer(503, {"success": False}, {"Retry-After": str(retry_after_s)})
