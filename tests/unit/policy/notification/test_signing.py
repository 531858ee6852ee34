"""Standard Webhooks signatures, judged by two independent packages."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks
import svix.webhooks

from dispatcher.errors import Unprocessable
from dispatcher.policy.notification.signing import (
    SeedKey,
    current_keys,
    generate_secret,
    generate_seed,
    parse_secret,
    parse_verifying_key,
    secret_problem,
    sign,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SEED = "whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLIC = "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

VECTORS = [
    (
        SECRET,
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    ),
    (
        SECRET,
        "msg_d15bb36e",
        1674087231,
        b'{"type":"SUBSCRIPTION_ORDER","id":"d15bb36e-5fb5-11e0-8c3c-00262d2cda03"}',
        "v1,YVRzayTwsPlVo+0xRKlzEb1qw4ReQp8DuotG9YUEIao=",
    ),
    (
        SEED,
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        "v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw==",
    ),
]


@pytest.mark.parametrize(("secret", "msg_id", "timestamp_s", "body", "expected"), VECTORS)
def test_published_vectors(secret: str, msg_id: str, timestamp_s: int, body: bytes, expected: str) -> None:
    assert sign([parse_secret(secret)], msg_id, timestamp_s, body) == expected


def signed_headers(secrets: list[str], body: bytes) -> dict[str, str]:
    now_s = int(datetime.now(UTC).timestamp())
    signature = sign([parse_secret(secret) for secret in secrets], "evt-1", now_s, body)
    return {"webhook-id": "evt-1", "webhook-timestamp": str(now_s), "webhook-signature": signature}


def test_receivers_packages_accept_what_we_sign() -> None:
    secret, body = generate_secret(), '{"name":"été"}'.encode()
    headers = signed_headers([secret], body)
    assert standardwebhooks.Webhook(secret).verify(body, headers) == {"name": "été"}
    svix.webhooks.Webhook(secret).verify(body, headers)


def test_both_secrets_of_a_rotation_verify() -> None:
    old, new, body = generate_secret(), generate_secret(), b"{}"
    headers = signed_headers([new, generate_seed(), old], body)
    for secret in (old, new):
        assert standardwebhooks.Webhook(secret).verify(body, headers) == {}


@pytest.mark.parametrize("kinds", [["v1a", "v1"], ["v1a", "v1", "v1a", "v1"], ["v1", "v1a"], ["v1a", "v1a"]])
def test_during_a_rotation_v1_entries_stand_before_v1a_each_kind_newest_first(kinds: list[str]) -> None:
    made = [parse_secret(generate_seed() if kind == "v1a" else generate_secret()) for kind in kinds]
    current = current_keys([(key, None if at else 2000) for at, key in enumerate(made)], 1000)
    assert [key.scheme for key in current] == sorted(kinds)
    assert [key for key in made if key.scheme == "v1"] == [key for key in current if key.scheme == "v1"]
    assert [key for key in made if key.scheme == "v1a"] == [key for key in current if key.scheme == "v1a"]


def test_receivers_packages_refuse_another_body() -> None:
    secret = generate_secret()
    headers = signed_headers([secret], b'{"a":1}')
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(b'{"a":2}', headers)
    with pytest.raises(svix.webhooks.WebhookVerificationError):
        svix.webhooks.Webhook(secret).verify(b'{"a":2}', headers)


def test_a_seed_shows_its_public_half() -> None:
    key = parse_secret(SEED)
    assert isinstance(key, SeedKey)
    assert str(key.public) == PUBLIC
    jwk = key.public.as_jwk()
    assert (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519")
    assert jwk["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "RFC 8037 appendix A.3"


def test_generated_secrets_are_fresh_and_valid() -> None:
    made = [generate_secret() for _ in range(20)] + [generate_seed() for _ in range(20)]
    assert len(set(made)) == 40
    assert [secret_problem(secret) for secret in made] == [None] * 40


def encoded(prefix: str, size: int) -> str:
    return prefix + base64.b64encode(bytes(range(size))).decode()


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_!!!!",
        "whsec_ünicode",
        "secret",
        SECRET.removeprefix("whsec_"),
        SECRET + "\n",
        encoded("whsec_", 23),
        encoded("whsec_", 65),
        encoded("whsk_", 31),
        encoded("whsk_", 33),
        PUBLIC,
    ],
)
def test_BI45_a_secret_that_is_not_one_is_refused(secret: str) -> None:  # noqa: N802
    problem = secret_problem(secret, "signingSecret")
    assert problem is not None
    assert (problem.code, problem.field) == ("invalid_secret", "signingSecret")


@pytest.mark.parametrize("size", [24, 32, 64])
def test_BI45_secrets_of_24_to_64_bytes_are_taken(size: int) -> None:  # noqa: N802
    assert secret_problem(encoded("whsec_", size)) is None


def test_only_verifiers_take_public_keys() -> None:
    content = b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
    signature = base64.b64decode(VECTORS[2][4].removeprefix("v1a,"))
    assert parse_verifying_key(PUBLIC).matches(content, signature)
    assert not parse_verifying_key(PUBLIC).matches(content + b" ", signature)
    with pytest.raises(Unprocessable):
        parse_secret(PUBLIC)
