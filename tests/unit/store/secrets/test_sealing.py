"""Secrets at rest."""

from __future__ import annotations

import base64
import os

import pytest

from dispatcher.errors import ConfigurationError
from dispatcher.store.secrets.sealing import Sealer, SealError, new_key

CONTEXT = "integration:1:clientSecret"


def test_what_is_sealed_opens_again() -> None:
    sealer = Sealer([new_key()])
    sealed = sealer.seal("S3cre1! é", CONTEXT)
    assert sealer.open(sealed, CONTEXT) == "S3cre1! é"
    assert "S3cre1!" not in sealed
    assert sealed.startswith("v1.")


def test_the_same_text_never_looks_the_same() -> None:
    sealer = Sealer([new_key()])
    assert len({sealer.seal("x", CONTEXT) for _ in range(50)}) == 50


def test_a_value_moved_to_another_field_does_not_open() -> None:
    sealer = Sealer([new_key()])
    with pytest.raises(SealError, match="integration:2"):
        sealer.open(sealer.seal("x", CONTEXT), "integration:2:clientSecret")


def test_every_key_of_the_ring_opens_and_the_first_seals() -> None:
    old, new = new_key(), new_key()
    sealed = Sealer([old]).seal("x", CONTEXT)
    ring = Sealer([new, old])
    assert ring.open(sealed, CONTEXT) == "x"
    assert ring.stale(sealed)
    resealed = ring.seal("x", CONTEXT)
    assert not ring.stale(resealed)
    assert Sealer([new]).open(resealed, CONTEXT) == "x"


def test_a_dropped_key_is_named() -> None:
    sealed = Sealer([new_key()]).seal("x", CONTEXT)
    with pytest.raises(SealError, match="add that key again"):
        Sealer([new_key()]).open(sealed, CONTEXT)


@pytest.mark.parametrize("sealed", ["", "x", "v1.a", "v2.a.QUJD", "v1.a.!!", "v1.a.b.c"])
def test_what_is_not_sealed_is_refused(sealed: str) -> None:
    with pytest.raises(SealError):
        Sealer([new_key()]).open(sealed, CONTEXT)


@pytest.mark.parametrize("position", [12, -1, -30])
def test_changed_bytes_do_not_open(position: int) -> None:
    sealer = Sealer([new_key()])
    head, key_id, text = sealer.seal("a secret that is long enough", CONTEXT).split(".")
    raw = bytearray(base64.b64decode(text))
    raw[position] ^= 1
    with pytest.raises(SealError):
        sealer.open(f"{head}.{key_id}.{base64.b64encode(raw).decode()}", CONTEXT)


def test_a_cut_value_does_not_open() -> None:
    sealer = Sealer([new_key()])
    head, key_id, _ = sealer.seal("x", CONTEXT).split(".")
    with pytest.raises(SealError):
        sealer.open(f"{head}.{key_id}.QUJD", CONTEXT)


def test_keys_are_read_in_every_usual_spelling() -> None:
    raw = os.urandom(32)
    standard, urlsafe = base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()
    sealed = Sealer([standard]).seal("x", CONTEXT)
    for key in (urlsafe, urlsafe.rstrip("="), f" {standard}\n", standard.encode(), raw):
        assert Sealer([key]).open(sealed, CONTEXT) == "x"


@pytest.mark.parametrize("key", ["5a" * 32, base64.urlsafe_b64encode(b"\xfb" * 32).decode(), "correct horse battery"])
def test_hex_base64_and_passphrases_open_what_they_sealed(key: str) -> None:
    assert Sealer([f" {key} "]).open(Sealer([key]).seal("x", CONTEXT), CONTEXT) == "x"


def test_hex_and_base64_of_the_same_bytes_are_the_same_key() -> None:
    raw = os.urandom(32)
    sealed = Sealer([raw.hex()]).seal("x", CONTEXT)
    assert Sealer([base64.b64encode(raw).decode()]).open(sealed, CONTEXT) == "x"


@pytest.mark.parametrize("key", ["", "short", "fifteen letters", bytes(8)])
def test_a_malformed_key_stops_the_start_and_says_how_to_make_one(key: str | bytes) -> None:
    with pytest.raises(ConfigurationError, match="make one with `dispatcher config --new-key`"):
        Sealer([key])


def test_no_key_at_all_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match="DISPATCHER_SECRET_KEYS"):
        Sealer([])
