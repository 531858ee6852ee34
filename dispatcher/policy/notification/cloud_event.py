"""Notifications as CloudEvents 1.0 in structured mode (https://github.com/cloudevents/spec). Pure.

``data`` is the notification to the byte as it is without an envelope, so nothing of it is lost on the way.
"""

from __future__ import annotations

from typing import Final

import orjson

from dispatcher.model.event import Event

CLOUD_EVENT: Final = "application/cloudevents+json"
SPEC_VERSION: Final = "1.0"


def enveloped(event: Event, time: str, source: str, notification: bytes) -> bytes:
    """The CloudEvent. ``time``: when the event was accepted; ``notification``: the JSON that becomes its ``data``.

    Whatever attempt it is sent with, it is the same: ``source`` and ``id`` name it once and for all.
    """
    attributes = {
        "specversion": SPEC_VERSION,
        "id": event.id,
        "source": source,
        "type": event.type.value,
        "time": time,
        "datacontenttype": "application/json",
        "subject": event.account_id,
        "productid": event.product_id,
        "accountid": event.account_id,
        "subscriptionid": event.subscription_id,
        "flag": event.flag,
        "traceparent": event.trace,
    }
    said = orjson.dumps({name: value for name, value in attributes.items() if value is not None})
    return said[:-1] + b',"data":' + notification + b"}"
