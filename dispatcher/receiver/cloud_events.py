"""A CloudEvent in structured mode → its attributes and the notification that it holds. Never looks at headers.

Whether a body is a CloudEvent is told by itself: it is signed, and ``Content-Type`` and ``ce-`` headers are not.
"""

from __future__ import annotations

from dispatcher.receiver.events import Json, UnreadableEvent

SPEC_VERSION = "specversion"
_JSON = frozenset({"application/json", "text/json"})


def opened(document: Json) -> tuple[Json, Json | None]:
    """The notification, and the attributes of the CloudEvent around it if there is one. Raises ``UnreadableEvent``."""
    if SPEC_VERSION not in document:
        return document, None
    if document[SPEC_VERSION] != "1.0":
        raise UnreadableEvent(f"specversion is not 1.0 but {document[SPEC_VERSION]!r}")
    if not _is_json(document.get("datacontenttype")):
        raise UnreadableEvent("datacontenttype is not application/json")
    data = document.get("data")
    if not isinstance(data, dict):
        raise UnreadableEvent("data is not an object")
    return data, {name: value for name, value in document.items() if name != "data"}


def _is_json(media: object) -> bool:
    """Without a media type data is JSON (CloudEvents JSON format 1.0, section 3.1)."""
    if media is None:
        return True
    essence = media.partition(";")[0].strip().lower() if isinstance(media, str) else ""
    return essence in _JSON or essence.endswith("+json")
