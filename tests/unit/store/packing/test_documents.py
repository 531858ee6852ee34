"""Documents of events are the same after they were packed, and damaged or unknown ones are told as unreadable."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.catalogue.samples import sample_payload
from dispatcher.cli.bench.load import payload
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.store.packing.documents import LEAST_BYTES, packed, packed_at, size_of, unpacked
from dispatcher.store.queue.records import UNREADABLE

SHIPPED = {1: "f30828803e874348cea9e9f925f373a482ea6ac89c9a15efdc4d4ecfa2b876c9"}
"""SHA-256 of each dictionary: what it packed can be read with these bytes alone."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def document(contents: dict[str, Any] | None, **more: Any) -> bytes:
    known = {"product_id": "P", "account_id": "A", "payload": contents}
    return Event("e", EventType.SUBSCRIPTION_CHANGE, "lane", 1, **(known | more)).stored()


def head_of(stored: bytes) -> bytes:
    return stored[: packed_at(stored)]


@given(st.dictionaries(st.sampled_from("cds") | st.text(max_size=12), JSON, max_size=6), st.none() | st.just({"d": 1}))
def test_a_packed_document_is_what_it_was(contents: dict[str, Any], creator: dict[str, Any] | None) -> None:
    plain = document(contents, creator=creator)
    stored = packed(plain)
    assert unpacked(stored) == plain
    assert size_of(stored) == len(plain)
    assert len(stored) <= len(plain)


@pytest.mark.parametrize("creator", [None, {"email": "ada@example.com", "note": ',"d":{', "more": "x" * LEAST_BYTES}])
def test_what_is_in_front_of_the_contents_stays_to_be_read(creator: dict[str, Any] | None) -> None:
    bare = document(None)
    assert head_of(packed(document({"order": "x" * 200, ',"c":': 1}, creator=creator))) == bare


@pytest.mark.parametrize("account", [None, "A", "Ünïcode"])
def test_groups_of_every_kind_are_left_as_they_are(account: str | None) -> None:
    plain = document({"x": "y" * 500}, account_id=account)
    assert packed(plain).split(b"\n")[:2] == plain.split(b"\n")[:2]
    assert Event.from_stored("e", unpacked(packed(plain))) == Event.from_stored("e", plain)


@pytest.mark.parametrize("contents", [None, {"x": 1}, {"x": bytes(range(32, 127)).decode().replace('"', "")[::2]}])
def test_contents_that_do_not_shrink_stay_plain(contents: dict[str, Any] | None) -> None:
    assert packed(document(contents)) == document(contents)


def test_realistic_contents_take_less_than_half() -> None:
    plain = [document(payload(number)) for number in range(100)]
    assert sum(map(len, map(packed, plain))) < 0.5 * sum(map(len, plain))
    samples = [document(sample_payload(kind) | {"account": {"status": "ACTIVE"}}) for kind in EventType]
    assert all(unpacked(packed(one)) == one for one in samples)


def test_a_version_without_packing_finds_it_unreadable_and_leaves_it_to_a_newer_one() -> None:
    with pytest.raises(UNREADABLE):
        Event.from_stored("e", packed(document(payload(1))))


@pytest.mark.parametrize(
    "damage",
    [
        lambda stored, at: stored[: at + 3],
        lambda stored, at: stored[:-20],
        lambda stored, at: stored[: at + 20],
        lambda stored, at: stored[: at + 2] + b"\xfe" + stored[at + 3 :],
        lambda stored, at: stored[: at + 3] + b"\0\0\x09" + stored[at + 6 :],
        lambda stored, at: stored[: at + 3] + b"\xff\xff\xff" + stored[at + 6 :],
        lambda stored, at: stored[: at + 6] + b"no zstd",
    ],
)
def test_damage_is_a_value_error(damage: Any) -> None:
    stored = packed(document(payload(1)))
    with pytest.raises(ValueError):
        unpacked(damage(stored, packed_at(stored)))


def test_every_dictionary_that_was_shipped_is_there_unchanged() -> None:
    folder = files("dispatcher.store.packing")
    found = {int(one.name.removesuffix(".zdict")): one for one in folder.iterdir() if one.name.endswith(".zdict")}
    assert {number: hashlib.sha256(one.read_bytes()).hexdigest() for number, one in found.items()} == SHIPPED


def test_threads_pack_beside_one_another() -> None:
    plain = [document(payload(number)) for number in range(200)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda one: unpacked(packed(one)), plain)) == plain
