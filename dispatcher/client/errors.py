"""Errors of calls to the API.

DispatcherError
├── ApiError        the API answered, and refused: status, problems, request id
└── Unreachable     no answer in time, after every repeat that is safe
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dispatcher.errors import DispatcherError, Problem


@dataclass(eq=False)
class ApiError(DispatcherError):
    """An answer of 400 or more. 401 from the token endpoint is one too."""

    status: int
    problems: list[Problem] = field(default_factory=list)
    request_id: str | None = None

    def __str__(self) -> str:
        return "; ".join(problem.message for problem in self.problems) or f"the API answered {self.status}"


@dataclass(eq=False)
class Unreachable(DispatcherError):
    """A request that changes something may or may not have been carried out."""

    url: str
    reason: str

    def __str__(self) -> str:
        return f"{self.url} cannot be reached: {self.reason}"


def api_error(status: int, body: Any, request_id: str | None) -> ApiError:
    """From the body of any surface: ours, OAuth's (RFC 6749 §5.2), or something in between that is not JSON."""
    given = body if isinstance(body, dict) else {}
    if isinstance(given.get("error"), str):
        return ApiError(status, [Problem(given["error"], str(given.get("error_description", "")))], request_id)
    listed = given.get("errors")
    found = [_problem(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return ApiError(status, found, request_id)


def _problem(one: dict[str, Any]) -> Problem:
    extensions = one.get("extensions")
    details = one | extensions if isinstance(extensions, dict) else one
    where = details.get("field")
    return Problem(str(details.get("code", "")), str(details.get("message", "")), str(where) if where else None)
