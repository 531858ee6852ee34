"""The form of notifications of an integration that wants another than the usual one: a CloudEvent, or a GET.

Made once for each revision; the usual form is none at all. Signs and sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from dispatcher.clock import iso_ms
from dispatcher.model.event import Event
from dispatcher.model.event_type import STEP_TYPES
from dispatcher.model.integration import BodyFormat, NotificationStyle, Revision
from dispatcher.policy.notification.body import event_url
from dispatcher.policy.notification.cloud_event import CLOUD_EVENT, enveloped


class Formed(NamedTuple):
    """The request's form. ``content_type`` None: a GET without a body, for the URL with ``query``."""

    body: bytes
    content_type: str | None
    query: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """At least one of the two."""

    cloud_event: bool = False
    """The POST's body is a CloudEvent in structured mode, whose data is the notification."""
    event_url_get: bool = False
    """The host is asked with GET and ``?eventUrl=``, and reads the event there. Steps are POSTed all the same."""

    def formed(self, event: Event, created_ms: int, base_url: str, notification: bytes) -> Formed:
        """The same for every attempt of an event: the time is that of its acceptance."""
        if self.event_url_get and event.type not in STEP_TYPES:
            return Formed(b"", None, f"eventUrl={quote(event_url(base_url, event.id), safe='')}")
        if self.cloud_event:
            return Formed(enveloped(event, iso_ms(created_ms), base_url, notification), CLOUD_EVENT)
        return Formed(notification, "application/json")


def form_of(revision: Revision) -> Form | None:
    """None for the usual form."""
    cloud_event = revision.format is BodyFormat.CLOUDEVENTS
    event_url_get = revision.style is NotificationStyle.EVENT_URL_GET
    return Form(cloud_event, event_url_get) if cloud_event or event_url_get else None
