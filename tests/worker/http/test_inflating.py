"""Answers of hosts that compress unasked are read, within 64 KiB; other codings are told."""

from __future__ import annotations

import gzip
import zlib

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from worker.http.answer import MAX_ANSWER_BYTES, Answer, AnswerBody
from worker.http.inflating import inflated

TEXT = b'{"success":false,"message":"no seat is left"}'


def raw_deflated(text: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(text) + stream.flush()


def opened(coding: str, data: bytes, truncated: bool = False) -> Answer:
    return inflated(Answer(200, CIMultiDictProxy(CIMultiDict()), AnswerBody(data, truncated)), coding)


READ = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "x-gzip in capitals": ("X-GZIP", gzip.compress(TEXT)),
    "gzip and identity": (" identity, gzip ", gzip.compress(TEXT)),
    "gzip of two members": ("gzip", gzip.compress(TEXT[:10]) + gzip.compress(TEXT[10:])),
    "gzip with padding behind": ("gzip", gzip.compress(TEXT) + b"\0" * 8),
    "deflate in zlib's frame": ("deflate", zlib.compress(TEXT)),
    "deflate without a frame": ("deflate", raw_deflated(TEXT)),
    "nothing": ("identity", TEXT),
    "an empty name": ("", TEXT),
}


@pytest.mark.parametrize("kind", READ)
def test_a_compressed_body_is_read(kind: str) -> None:
    answer = opened(*READ[kind])
    assert answer.body == AnswerBody(TEXT, False)
    assert answer.odd == ""


@pytest.mark.parametrize(
    ("coding", "data"),
    [("br", b"\x0b\x02\x80"), ("zstd", b"(\xb5/\xfd"), ("compress", TEXT), ("utf-8", TEXT), ("gzip, gzip", TEXT)],
)
def test_another_coding_is_told_and_its_bytes_stay(coding: str, data: bytes) -> None:
    answer = opened(coding, data)
    assert answer.body == AnswerBody(data, False)
    assert answer.odd == f"the answer is odd: its body is compressed with {coding}, which is not read"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_body_that_is_not_compressed_after_all_is_read_as_it_is(coding: str) -> None:
    answer = opened(coding, TEXT)
    assert answer.body == AnswerBody(TEXT, False)
    assert answer.odd == f"the answer is odd: its body is said to be {coding} and is not"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("extra", [0, 1, 50_000_000])
def test_no_more_than_64_kib_come_out(coding: str, extra: int) -> None:
    whole = b"\0" * (MAX_ANSWER_BYTES + extra)
    data = gzip.compress(whole) if coding == "gzip" else zlib.compress(whole)
    assert opened(coding, data).body == AnswerBody(b"\0" * MAX_ANSWER_BYTES, extra > 0)


@pytest.mark.parametrize("cut", [1, 9, 30])
def test_what_breaks_off_is_read_as_far_as_it_goes(cut: int) -> None:
    long = bytes(range(256)) * 40
    body = opened("gzip", gzip.compress(long, 0)[:-cut], truncated=True).body
    assert body.truncated
    assert long.startswith(body.data)


def test_an_empty_body_needs_no_coding() -> None:
    assert opened("gzip", b"") == Answer(200, CIMultiDictProxy(CIMultiDict()), AnswerBody(b"", False))
