"""The `curl` that `dispatcher listen` prints: a test that listeners take for genuine."""

from __future__ import annotations

import json
import shlex

from dispatcher.cli.listen.trial import curl, trial
from dispatcher.policy.notification.signing import parse_secret
from dispatcher.policy.notification.verification import verify

SECRET, NOW_S = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1_674_087_231


def test_it_is_signed_with_the_secret_of_the_tap_and_asks_for_nothing() -> None:
    command, to, *options = shlex.split(curl(trial(NOW_S), "http://localhost:3000/a b?c='d", SECRET, NOW_S))
    assert (command, to) == ("curl", "http://localhost:3000/a b?c='d")
    given = list(zip(options[::2], options[1::2], strict=True))
    headers = dict(value.split(": ", 1) for option, value in given if option == "-H")
    (body,) = (value for option, value in given if option == "--data-binary")
    msg_id, timestamp, signature = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    assert verify([parse_secret(SECRET)], msg_id, timestamp, signature, body.encode(), now_s=NOW_S).genuine
    assert headers["Content-Type"] == "application/json"
    document = json.loads(body)
    assert (document["id"], document["flag"]) == (msg_id, "STATELESS")
    assert document["type"] == headers["x-event-type"] == "SUBSCRIPTION_ORDER"
