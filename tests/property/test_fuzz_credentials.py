"""Input of clients and operators: tokens, credentials, signatures, cursors, URLs of Redis. Never a surprise."""

from __future__ import annotations

import base64
import string

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from joserfc.jwk import KeySet
from redis.asyncio import Redis

from dispatcher.api.oauth.form import _basic
from dispatcher.api.oauth.tokens import TokenReader
from dispatcher.errors import ConfigurationError, InvalidRequest, RequestError
from dispatcher.model.queue import EventFilter
from dispatcher.policy.notification.signing import parse_secret, secret_problem, sign
from dispatcher.policy.notification.verification import verify
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.url import parse
from tests.property.in_time import in_time

ON_REDIS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
KEYS = KeySet.generate_key_set("EC", "P-256", count=1)


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


JWT = st.lists(
    st.binary(max_size=30).map(_segment)
    | st.sampled_from(
        [
            _segment(b'{"alg":"none"}'),
            _segment(b'{"alg":"ES256","typ":"at+jwt","kid":7}'),
            _segment(b'{"alg":["ES256"],"kid":{}}'),
            _segment(b'{"aud":[],"iss":null,"exp":"x"}'),
            _segment(b"[" * 3000),
            "",
        ]
    ),
    max_size=5,
).map(".".join)


@in_time
@given(text=JWT | st.text(max_size=200))
@example(text="a" * 9000)
def test_bi33_every_forged_token_is_simply_not_good(text: str) -> None:
    assert TokenReader("http://dispatcher.test", KEYS).read(text, 1_700_000_000.0) is None


@in_time
@given(header=st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: f"Basic {base64.b64encode(raw).decode()}"))
@example(header="Basic /w==")
@example(header="Basic !!!!")
@example(header="Basic")
@example(header="Basic Og==")
@example(header="Basic JWZmOiVmZg==")
def test_bi36_basic_credentials_are_read_or_refused(header: str) -> None:
    refused: RequestError | None = None
    try:
        client_id, secrets = _basic(header)
        assert client_id
        assert 1 <= len(secrets) <= 2
    except RequestError as error:
        refused = error
    assert refused is None or (refused.status, refused.problems[0].code) == (401, "invalid_client")


SIGNATURE = st.lists(
    st.sampled_from(["v1,", "v1a,", "v1", ",", "v2,AAAA", "v1,====", "v1,é"]) | st.text(max_size=12), max_size=20
).map(" ".join)


@in_time
@given(msg_id=st.text(max_size=20), timestamp=st.text(max_size=20), signature=SIGNATURE, body=st.binary(max_size=50))
@example(msg_id="m", timestamp="9" * 400, signature="v1," + "A" * 100_000, body=b"")
def test_no_forged_signature_is_genuine_and_none_raises(
    msg_id: str, timestamp: str, signature: str, body: bytes
) -> None:
    found = verify([parse_secret(SECRET)], msg_id, timestamp, signature, body, now_s=1_700_000_000.0)
    assert not found.genuine
    assert found.text


@in_time
@given(msg_id=st.text("abc.", max_size=10), body=st.binary(max_size=50), noise=SIGNATURE)
def test_a_true_signature_is_found_among_any_others(msg_id: str, body: bytes, noise: str) -> None:
    key = parse_secret(SECRET)
    genuine = sign([key], msg_id, 1_700_000_000, body)
    found = verify([key], msg_id, "1700000000", f"{noise} {genuine}", body, now_s=1_700_000_001.0)
    assert found.genuine


@in_time
@given(text=st.text(max_size=100) | st.text(string.printable, max_size=100).map(lambda rest: f"whsec_{rest}"))
def test_bi45_a_secret_is_read_or_has_a_problem(text: str) -> None:
    if secret_problem(text) is None:
        parse_secret(text)


PASSWORD = "Hunter2Hunter2"
PIECES = (
    "redis rediss unix redis+sentinel redis+cluster :// : @ / , ? # % & = 127.0.0.1 [::1] [ ] 6379 99999 -1 db tls h"
)
REDIS_PIECE = st.sampled_from([*PIECES.split(" "), PASSWORD, "é", "%zz", "0", "1e3", "\x00"])


@in_time
@given(url=st.lists(REDIS_PIECE, max_size=14).map("".join) | st.text(max_size=40))
@example(url=f"redis://user:{PASSWORD}@h:port/0")
@example(url=f"redis+sentinel://:{PASSWORD}@[::1/m")
def test_a_redis_url_is_read_or_refused_without_repeating_it(url: str) -> None:
    try:
        told = repr(parse(url))
    except ConfigurationError as refused:
        told = str(refused)
    assert f":{PASSWORD}@" not in told


CURSOR = (
    st.text(max_size=40)
    | st.lists(st.sampled_from([*string.ascii_lowercase, *string.digits, "-", "."]), max_size=60).map("".join)
    | st.binary(max_size=40).map(_segment)
    | st.sampled_from(["zzzzzzzzzzzzzzzz-0", "-".join(["z" * 900] * 2), "0-0", "0-0.0-0", "١-١", "+1-+1", "1_0-1_0"])
)


@pytest.fixture
def queue(redis: Redis) -> QueueStore:
    return QueueStore(redis, partitions=1, retention_ms=3_600_000)


@ON_REDIS
@given(cursor=CURSOR, limit=st.integers(1, 200))
async def test_bi47_every_cursor_is_followed_or_refused(queue: QueueStore, cursor: str, limit: int) -> None:
    for ask in (queue.page(EventFilter(), cursor, limit), queue.changes(cursor, limit)):
        code = "invalid_cursor"
        try:
            await ask
        except InvalidRequest as refused:
            code = refused.problems[0].code
        assert code == "invalid_cursor"
