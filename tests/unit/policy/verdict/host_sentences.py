"""Sentences about hosts that are not well, and about what is held back. Holds no test."""

from __future__ import annotations

from dispatcher.model.troubles import (
    FlowFacts,
    PauseFacts,
    ProbeFacts,
    Snapshot,
)
from tests.unit.policy.verdict.facts import ANSWERS_500, NO_TOKEN, K, S, Sentence, circuit
from tests.unit.policy.verdict.scenes import (
    AT_1402,
    DAY,
    HOUR,
    ID,
    MINUTE,
    NOW,
    issue,
    lane,
    seen,
)


def pausing(pause: PauseFacts, waiting: int) -> Snapshot:
    return seen(lane(pause=pause, waiting=waiting))


OF_HOSTS: list[Sentence] = [
    (
        circuit(),
        K.CIRCUIT_OPEN,
        S.ACT,
        "Northwind refuses connections since 14:02 UTC; next try in 12 s; 14 events of 9 accounts wait, none is lost.",
        f"dispatcher ping {ID}",
    ),
    (
        circuit(waiting=1000, next_try_ms=None),
        K.CIRCUIT_OPEN,
        S.PAGE,
        (
            "Northwind refuses connections since 14:02 UTC; it is being tried now; 1,000 events of 9 accounts wait,"
            " none is lost."
        ),
        f"dispatcher ping {ID}",
    ),
    (
        circuit(circuit_since_ms=NOW - 30 * MINUTE),
        K.CIRCUIT_OPEN,
        S.PAGE,
        "Northwind refuses connections since 14:00 UTC; next try in 12 s; 14 events of 9 accounts wait, none is lost.",
        f"dispatcher ping {ID}",
    ),
    (
        seen(lane(attempts=20, failures=18, failing_since_ms=AT_1402, cause=ANSWERS_500)),
        K.FAILING,
        S.ACT,
        "Northwind answers 500 to 9 of 10 since 14:02 UTC; nothing waits.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(lane(failures_in_a_row=3, failing_since_ms=NOW - 30 * MINUTE, cause=ANSWERS_500, waiting=1)),
        K.FAILING,
        S.PAGE,
        "Northwind answers 500 to 3 attempts in a row since 14:00 UTC; 1 event waits, none is lost.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(lane(token_failing_since_ms=AT_1402, same_in_a_row=3, cause=NO_TOKEN, waiting=2, accounts=1)),
        K.CREDENTIALS_FAILING,
        S.ACT,
        "Northwind gets no token since 14:02 UTC: invalid_client; 2 events of 1 account wait, none is lost.",
        f"dispatcher ping {ID}",
    ),
    (
        seen(lane(suspended_urls=1, suspended_since_ms=AT_1402, parked=31)),
        K.URL_SUSPENDED,
        S.ACT,
        "Northwind answered 410 at 14:02 UTC; 31 events are parked.",
        f"dispatcher resume {ID}",
    ),
    (
        seen(lane(disabled_ms=AT_1402, waiting=31, pause=PauseFacts(AT_1402))),
        K.INTEGRATION_DISABLED,
        S.ACT,
        "Northwind is disabled since 14:02 UTC, every attempt failed before; 31 events wait, none is lost.",
        f"dispatcher resume {ID}",
    ),
    (
        seen(
            lane(failing_since_ms=NOW - 5 * DAY // 2, failures_in_a_row=9, cause=ANSWERS_500), disable_after_ms=5 * DAY
        ),
        K.INTEGRATION_DISABLED,
        S.INFO,
        "Northwind answers 500 since Nov 27 02:30 UTC and is disabled in 2 d unless an attempt goes well.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(lane(failing_since_ms=NOW - 108 * HOUR, failures_in_a_row=9, cause=ANSWERS_500), disable_after_ms=5 * DAY),
        K.INTEGRATION_DISABLED,
        S.ACT,
        "Northwind answers 500 since Nov 25 02:30 UTC and is disabled in 12 h unless an attempt goes well.",
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(issues=(issue(23), issue(3, 2, error="HTTP 500"))),
        K.DEAD_LETTERS,
        S.ACT,
        "26 died since 14:02 UTC, 23 of one cause: Northwind, HTTP 503.",
        "dispatcher redeliver --where 'status:dead,expired'",
    ),
    (
        seen(issues=(issue(10_000),), flow=FlowFacts(died=50)),
        K.DEAD_LETTERS,
        S.PAGE,
        "10,000 died since 14:02 UTC, all of one cause: Northwind, HTTP 503.",
        "dispatcher redeliver --where 'status:dead,expired'",
    ),
    (
        pausing(PauseFacts(AT_1402, "deploy", "ada", NOW + 30 * MINUTE), 84),
        K.PAUSED,
        S.INFO,
        "Northwind is paused by ada since 14:02 UTC: deploy; ends 15:00 UTC; 84 events wait.",
        f"dispatcher resume {ID}",
    ),
    (
        pausing(PauseFacts(NOW - 25 * HOUR), 0),
        K.PAUSED,
        S.ACT,
        "Northwind is paused since Nov 28 13:30 UTC; has no end; nothing waits.",
        f"dispatcher resume {ID}",
    ),
    (
        seen(lane(slowed_until_ms=NOW + HOUR, oldest_due_ms=NOW - 16 * MINUTE, waiting=3, accounts=3)),
        K.SLOWED,
        S.ACT,
        (
            "Northwind asked to be sent less until 15:30 UTC; 3 events of 3 accounts wait, none is lost,"
            " the oldest for 16 min."
        ),
        f"dispatcher events --where 'integration:{ID} status:retrying,dead,failed since:1h'",
    ),
    (
        seen(probes=(ProbeFacts(ID, "Northwind", None, 2, AT_1402, "no answer"),)),
        K.PROBE_FAILED,
        S.INFO,
        "Northwind failed its last 2 pings since 14:02 UTC: no answer.",
        f"dispatcher ping {ID}",
    ),
    (
        seen(probes=(ProbeFacts(ID, "Northwind", certificate_ends_ms=NOW + 3 * DAY),)),
        K.CERTIFICATE,
        S.ACT,
        "The certificate of Northwind ends in 3 d; then nothing is delivered there.",
        f"dispatcher ping {ID}",
    ),
]
