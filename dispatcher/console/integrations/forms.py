"""The form that each field of an integration stands in. Words for it are in its row of the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.model.event_type import URL_FIELDS

Forms = Mapping[str, Mapping[str, tuple[str, ...]]]

_PLACED: Forms = {
    "/edit": {
        "What it is": ("name", "vendorId"),
        "Where events go": (*URL_FIELDS, "filter"),
        "How hosts are told, and answers are read": ("style", "format", "answers", "validatePayloads", "headers"),
        "What a buyer is asked": ("orderRequireFormFields", "orderFormFields", "installTemplate"),
        "Watching it": ("probeIntervalMinutes",),
    },
    "/credentials": {
        "Who we are at the host": ("outboundCredentials",),
        "Connections": ("transport",),
    },
    "/limits": {
        "How much at once": ("concurrency", "rateLimit"),
        "How often, and how long": ("retrySchedule", "requestTimeout", "maxAge", "resultDeadline"),
    },
}

LONG = frozenset({"transport.clientCertificate", "transport.caCertificates"})
"""PEM texts."""


def with_the_rest(placed: Forms, names: Iterable[str]) -> Forms:
    """Names that have no place yet stand last in the first form."""
    known = {name for form in placed.values() for group in form.values() for name in group}
    rest = tuple(name for name in names if name not in known)
    first = next(iter(placed))
    return {**placed, first: {**placed[first], "More": rest}} if rest else placed


FORMS = with_the_rest(_PLACED, (row.name for row in INTEGRATION.fields if row.given))
"""By the tab of the page."""
