"""Every rule of Standard Webhooks, on what the reference library and ed25519 keys signed."""

from __future__ import annotations

import pytest

from dispatcher.errors import Unprocessable
from dispatcher.policy.notification.signing import SeedKey, generate_secret, generate_seed, parse_secret, sign
from dispatcher.receiver import NotGenuine, Verifier, published_keys
from tests.receiver.signed import NOW_S, SECRET, signed

BODY = b'{"type":"SUBSCRIPTION_ORDER"}'


def seed_key() -> SeedKey:
    key = parse_secret(generate_seed())
    assert isinstance(key, SeedKey)
    return key


def by_seed(*keys: SeedKey) -> dict[str, str]:
    return signed(BODY) | {"webhook-signature": sign(keys, "e-1", int(NOW_S), BODY)}


def test_what_the_reference_library_signed_is_genuine() -> None:
    envelope = Verifier(SECRET).verify(signed(BODY), BODY, NOW_S)
    assert (envelope.id, envelope.timestamp_s) == ("e-1", int(NOW_S))


def test_names_of_headers_are_read_in_any_case() -> None:
    pairs = [(name.title(), value) for name, value in signed(BODY).items()]
    assert Verifier(SECRET).verify([("Host", "a"), ("Host", "b"), *pairs], BODY, NOW_S).id == "e-1"


@pytest.mark.parametrize("age_s", [-300, 300])
def test_five_minutes_either_way_are_allowed(age_s: float) -> None:
    assert Verifier(SECRET).verify(signed(BODY, age_s=age_s), BODY, NOW_S).id == "e-1"


@pytest.mark.parametrize("age_s", [-301, 301])
def test_more_than_five_minutes_are_not(age_s: float) -> None:
    with pytest.raises(NotGenuine, match=r"301 s .*allowed are 300 s"):
        Verifier(SECRET).verify(signed(BODY, age_s=age_s), BODY, NOW_S)


def test_any_key_and_any_entry_will_do_during_a_rotation() -> None:
    older, other = generate_secret(), generate_secret()
    entries = [signed(BODY, secret)["webhook-signature"] for secret in (other, older)]
    headers = signed(BODY) | {"webhook-signature": " ".join(["v1a,AAAA", "v9,x", *entries])}
    assert Verifier(SECRET, older).verify(headers, BODY, NOW_S).id == "e-1"


def test_keys_are_replaced_while_it_is_in_use() -> None:
    verifier, newer = Verifier(SECRET), generate_secret()
    verifier.trust(newer)
    verifier.verify(signed(BODY, newer), BODY, NOW_S)
    with pytest.raises(NotGenuine):
        verifier.verify(signed(BODY), BODY, NOW_S)


def test_public_keys_verify_ed25519() -> None:
    older, newer = seed_key(), seed_key()
    assert Verifier(str(newer.public)).verify(by_seed(older, newer), BODY, NOW_S).id == "e-1"
    assert Verifier(SECRET, str(older.public), str(newer.public)).verify(by_seed(older), BODY, NOW_S).id == "e-1"
    with pytest.raises(NotGenuine):
        Verifier(str(seed_key().public)).verify(by_seed(older), BODY, NOW_S)


def test_published_keys_are_what_a_verifier_trusts() -> None:
    key = seed_key()
    document = {"keys": [key.public.as_jwk(), {"kty": "RSA"}]}
    assert published_keys(document) == (str(key.public),)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": ""},
        {"webhook-id": "e-2"},
        {"webhook-id": "e-1.1"},
        {"webhook-id": "e-\udcff"},
        {"webhook-id": "e" * 257},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "²"},
        {"webhook-timestamp": "9" * 400},
        {"webhook-timestamp": f"0{int(NOW_S)}"},
        {"webhook-timestamp": f"{int(NOW_S)}.0"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,\udcff"},
        {"webhook-signature": " ".join(["v1,AAAA"] * 100_000)},
    ],
)
def test_whatever_is_odd_is_not_genuine(change: dict[str, str]) -> None:
    with pytest.raises(NotGenuine):
        Verifier(SECRET).verify(signed(BODY) | change, BODY, NOW_S)


def test_another_body_another_scheme_and_another_secret_are_not_genuine() -> None:
    headers = signed(BODY)
    signature = headers["webhook-signature"]
    for body, sent in [(BODY + b"\n", signature), (BODY, signature.replace("v1,", "v2,")), (BODY, signature[:-1])]:
        with pytest.raises(NotGenuine):
            Verifier(SECRET).verify(headers | {"webhook-signature": sent}, body, NOW_S)
    with pytest.raises(NotGenuine):
        Verifier(generate_secret()).verify(headers, BODY, NOW_S)


def test_base64_is_read_in_the_one_way_in_which_it_is_written() -> None:
    key = seed_key()
    headers, text = by_seed(key), by_seed(key)["webhook-signature"]
    same_bytes = text[:-3] + chr(ord(text[-3]) + 1) + "=="  # the last four bits are not used
    for other in (same_bytes, text.rstrip("="), text + "=", text.replace("v1a,", "v1a, "), text[:9] + "\n" + text[9:]):
        with pytest.raises(NotGenuine):
            Verifier(str(key.public)).verify(headers | {"webhook-signature": other}, BODY, NOW_S)


def test_a_header_that_comes_twice_is_refused() -> None:
    with pytest.raises(NotGenuine, match="webhook-id came twice"):
        Verifier(SECRET).verify([*signed(BODY).items(), ("Webhook-Id", "e-2")], BODY, NOW_S)


@pytest.mark.parametrize("key", ["", "secret", "whsec_", "whsec_AAAA", "whpk_AAAA", SECRET + "!"])
def test_a_key_that_is_none_is_refused_at_once(key: str) -> None:
    with pytest.raises(Unprocessable, match="base64"):
        Verifier(key)


def test_a_seed_is_no_key_of_a_receiver() -> None:
    with pytest.raises(ValueError, match="stays with the one who signs"):
        Verifier(generate_seed())
    with pytest.raises(ValueError, match="at least one"):
        Verifier()
