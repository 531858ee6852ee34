"""CloudEvents 1.0 as ``POST /v1/events`` takes them: structured, binary, batched. Reads them; accepts nothing.

Attributes are https://github.com/cloudevents/spec; the table of docs/api.md says what becomes of each.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import attrgetter
from typing import Annotated, Any, Final, Literal, NamedTuple
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, StringConstraints

from dispatcher.api.http.request.validation import validated
from dispatcher.api.rest.models import NO_CONTROL, Name
from dispatcher.errors import InvalidRequest, Problem, RequestError, Unprocessable
from dispatcher.flow.events.making.emit import Emission
from dispatcher.model import exact_numbers
from dispatcher.model.event_type import parse_event_type
from dispatcher.policy.notification.trace_context import read_traceparent
from dispatcher.policy.strict_json import read_object

CLOUD_EVENTS: Final = "application/cloudevents-batch+json"
SPEC_VERSION_HEADER: Final = "ce-specversion"
"""Its presence makes a request with any other media type one in binary mode."""

_ATTRIBUTE_HEADER: Final = "ce-"
_NAME = re.compile(r"[a-z0-9]+")
_DATA = frozenset({"data", "data_base64"})
_REVERSE_DNS = re.compile(r"(?:[A-Za-z0-9-]+\.)+([A-Za-z_]+)")
_TIME = r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$"
_APPLICATION, _JSON = "[aA][pP][pP][lL][iI][cC][aA][tT][iI][oO][nN]", "[jJ][sS][oO][nN]"
_JSON_MEDIA = rf"^({_APPLICATION}/{_JSON}|[A-Za-z0-9.+-]+/[A-Za-z0-9.-]+\+{_JSON})\s*(;.*)?$"
"""In any case, without a flag: patterns of the API's document are read by programs that know ECMA-262 alone."""
_Text = Annotated[str, StringConstraints(min_length=1, max_length=2048, pattern=NO_CONTROL)]


class CloudEventIn(BaseModel):
    """One event to accept. ``type`` is one of ours, or ends in one behind a dot: ``com.example.SUBSCRIPTION_ORDER``."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)

    specversion: Literal["1.0"]
    id: Name
    source: _Text
    type: Name
    productid: Name
    accountid: Name | None = None
    subscriptionid: Name | None = None
    flag: Literal["DEVELOPMENT"] | None = None
    traceparent: Name | None = None
    subject: _Text | None = None
    time: Annotated[str, StringConstraints(pattern=_TIME)] | None = None
    dataschema: _Text | None = None
    datacontenttype: Annotated[str, StringConstraints(pattern=_JSON_MEDIA, max_length=255)] | None = None
    data: dict[str, Any] | None = None


_ATTRIBUTES = {"productId": "productid", "accountId": "accountid", "payload": "data"}
"""Attributes by the field of an event that they become."""
_said_by = attrgetter("productid", "accountid", "subscriptionid", "flag", "data")


class CloudEvent(NamedTuple):
    """An event as asked for. ``key``: the idempotency key of ``source`` and ``id``; no header can say such a one."""

    emission: Emission
    key: str
    trace: str | None

    @property
    def digest(self) -> str:
        """Of what is asked for, in whichever mode and with whatever else it comes."""
        return hashlib.sha256(exact_numbers.dumps(list(self.emission))).hexdigest()


def structured(raw: bytes) -> CloudEvent:
    """The event of a body in structured mode."""
    return read_attributes(read_object(raw, exact=True))


def binary(headers: Mapping[str, str], raw: bytes) -> CloudEvent:
    """The event whose attributes are headers and whose data is the body."""
    given: dict[str, Any] = {}
    for header, value in _of_event(headers):
        name = header[len(_ATTRIBUTE_HEADER) :]
        if name in given:
            raise InvalidRequest.of("invalid_attribute", "Give each attribute once.", header)
        given[name] = _decoded(header, value)
    if raw:
        given["data"] = read_object(raw, exact=True)
    return read_attributes(given)


def read_attributes(given: Any) -> CloudEvent:
    """Raises ``Unprocessable``, which names the attribute."""
    if not isinstance(given, dict):
        raise Unprocessable.of("not_an_object", "A CloudEvent is one JSON object.")
    if "data_base64" in given:
        raise Unprocessable.of("invalid_attribute", "The data is one JSON object: send it as data.", "data_base64")
    odd = [name for name in given if name not in _DATA and not _NAME.fullmatch(name)]
    if odd:
        raise Unprocessable([_misnamed(name) for name in odd[:20]])
    event = validated(CloudEventIn, given)
    product_id, account_id, subscription_id, flag, data = _said_by(event)
    emission = Emission(_type_of(event.type), product_id, account_id, subscription_id, flag, payload=data)
    context = read_traceparent(event.traceparent) if event.traceparent else None
    return CloudEvent(emission, f"cloudevent\n{event.source}\n{event.id}", str(context) if context else None)


def naming_attributes(error: RequestError) -> RequestError:
    """The same error, with attributes in the place of the fields that they stand for."""
    error.problems = [_of_attribute(problem) for problem in error.problems]
    return error


def _of_attribute(problem: Problem) -> Problem:
    if problem.code == "idempotency_conflict":
        text = "An event of this source and id asked for something else: send the same, or another id."
        return replace(problem, message=text, field="id")
    first, dot, rest = (problem.field or "").partition(".")
    return replace(problem, field=f"{_ATTRIBUTES[first]}{dot}{rest}") if first in _ATTRIBUTES else problem


def _misnamed(name: str) -> Problem:
    text = "Names of attributes are lower-case letters and digits, such as productid."
    return Problem("invalid_attribute", text, name[:255])


def _type_of(text: str) -> str:
    """A name of ours; what is none stays as it is, and is refused as such."""
    found = _REVERSE_DNS.fullmatch(text)
    return found[1] if found is not None and parse_event_type(found[1]) else text


def _of_event(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        lower = name.lower()
        if lower.startswith(_ATTRIBUTE_HEADER):
            yield lower, value


def _decoded(header: str, value: str) -> str:
    """Percent-encoded UTF-8 (HTTP binding §3.1.3.2)."""
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        text = "Encode what is not printable ASCII as percent signs of its UTF-8."
        raise InvalidRequest.of("invalid_attribute", text, header) from None
