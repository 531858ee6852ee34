"""JSON that two parsers cannot read differently."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from dispatcher.errors import InvalidRequest, RequestError, Unprocessable
from dispatcher.policy.strict_json import MAX_DEPTH, read_array, read_json, read_lines, read_object


def code_of(raw: bytes) -> tuple[int, str]:
    with pytest.raises(RequestError) as caught:
        read_object(raw)
    assert isinstance(caught.value, InvalidRequest | Unprocessable)
    return caught.value.status, caught.value.problems[0].code


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {"a":[1,2.5,-3,true,null,"\\u00e9\\ud83d\\ude00"]}\n', {"a": [1, 2.5, -3, True, None, "é😀"]}),
        (b'{"a":18446744073709551615,"b":-9223372036854775808}', {"a": 2**64 - 1, "b": -(2**63)}),
        (b'{"a":{"a":1},"b":{"a":1}}', {"a": {"a": 1}, "b": {"a": 1}}),
        (b'{"a":1e-999}', {"a": 0.0}),
    ],
)
def test_ordinary_json_is_read(raw: bytes, value: object) -> None:
    assert read_object(raw) == value


REFUSED: dict[str, tuple[int, str, list[bytes]]] = {
    "BI2": (400, "invalid_json", [b"", b" ", b"\n"]),
    "BI3": (400, "invalid_json", [b"{", b'{"a":}', b"{'a':1}", b'{"a":1}x', b'{"a":1,}', b'{"a":"\x01"}', b'{"a":01}']),
    "BI4": (422, "not_an_object", [b"[]", b"null", b'"x"', b"1", b"true"]),
    "BI5": (400, "invalid_json", [b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}', b"NaN"]),
    "BI6": (422, "number_out_of_range", [b'{"a":1e999}', b'{"a":-1e999}', b'{"a":18446744073709551616}']),
    "BI7": (400, "invalid_json", [b'{"a":' + b"1" * 5000 + b"}", b'{"a":0.' + b"1" * 5000 + b"}"]),
    "BI8": (422, "invalid_string", [b'{"a":"\\ud800"}', b'{"\\uDC00":1}', b'{"a":[{"b":"x\\ude00\\ud83d"}]}']),
    "BI10": (
        400,
        "invalid_json",
        [
            b'{"a":"\xff"}',
            b'\xef\xbb\xbf{"a":1}',
            '{"a":1}'.encode("utf-16"),
            '{"a":1}'.encode("utf-16-le"),
            b'"\xed\xa0\x80"',
        ],
    ),
    "BI11": (400, "duplicate_key", [b'{"a":1,"a":1}', b'{"b":[{"a":1,"\\u0061":2}]}']),
    "BI12": (400, "too_deep", [b"[" * 20_000 + b"]" * 20_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000]),
    "BI13": (400, "too_deep", [b"[" * 65 + b"]" * 65, b'{"a":[' * 32 + b"{}" + b"]}" * 32, b"[" * 900 + b"]" * 900]),
}


@pytest.mark.parametrize(
    ("row", "raw"), [(row, raw) for row, (_, _, bodies) in REFUSED.items() for raw in bodies], ids=lambda v: str(v)[:24]
)
def test_BI_bodies_are_refused_with_their_code(row: str, raw: bytes) -> None:  # noqa: N802
    assert code_of(raw) == REFUSED[row][:2]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a":' * 63 + b"[]" + b"}" * 63,
        b'{"a":[' * 32 + b"]}" * 32,
        b'{"a":"' + b"[{" * 500 + b'\\"[[[["}',
        b'{"a":[' + b"[],{}," * 500 + b"1]}",
        b'{"a":"\\\\","b":"' + b"[" * 100 + b'\\\\\\"","c":[]}',
        b'{"a":"' + b"[" * 100 + b'","b":[' + b'"[",' * 100_001 + b"1]}",
    ],
)
def test_BI13_depth_64_and_brackets_in_strings_pass(raw: bytes) -> None:  # noqa: N802
    assert read_object(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 500_000 + b"]" * 500_000,
        b"[" + b"[]," * 350_000 + b"1]",
        b'["' + b'","'.join([b"[[[["] * 130_000) + b'"]',
        b"[0." + b"1" * 1_000_000 + b"]",
        b"[" + b"1" * 1_000_000 + b"]",
        b"{" + b'"a":1,' * 170_000 + b'"a":1}',
        b'["' + b"\\ud83d\\ude00" * 80_000 + b'"]',
    ],
    ids=["deep", "wide", "strings", "digits", "integer", "duplicates", "escapes"],
)
def test_a_mebibyte_of_anything_is_answered_at_once(raw: bytes) -> None:
    started = time.thread_time()
    with contextlib.suppress(InvalidRequest, Unprocessable):
        read_json(raw)
    assert time.thread_time() - started < 5.0


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a":"\x01"}', "not JSON: Invalid control character at character 6"),
        (b'{"a":"x', "not JSON: Unterminated string starting at character 5"),
        (b'{"a":}', "not JSON: Expecting value at character 5"),
        (b"", "not JSON: it is empty"),
        (b" \n", "not JSON: it is empty"),
        (b"\xef\xbb\xbf{}", "not JSON: it begins with a byte order mark"),
    ],
)
def test_messages_name_the_place_once(raw: bytes, message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_json(raw)
    assert str(caught.value) == message


def test_messages_do_not_repeat_long_input() -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_object(b'{"' + b"k" * 5000 + b'":1,"' + b"k" * 5000 + b'":2}')
    assert len(str(caught.value)) < 200


def test_an_array_may_hold_objects_of_full_depth() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert len(read_array(b"[" + deepest + b"]")) == 1
    with pytest.raises(Unprocessable, match="JSON array"):
        read_array(b"{}")


def test_lines_are_judged_one_by_one() -> None:
    found: list[Any] = [
        item.problems[0].code if isinstance(item, RequestError) else item
        for item in read_lines(b'{"a":1}\r\n\n[]\n{"a":1,"a":2}\n{\n{"b":2}')
    ]
    assert found == [{"a": 1}, "not_an_object", "duplicate_key", "invalid_json", {"b": 2}]


def test_no_lines_are_nothing() -> None:
    assert list(read_lines(b"\n \n")) == []
