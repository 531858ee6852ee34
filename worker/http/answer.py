"""A host's answer as deliveries and token requests see it. Values only."""

from __future__ import annotations

from typing import NamedTuple

from multidict import CIMultiDictProxy

MAX_ANSWER_BYTES = 64 * 1024


class AnswerBody(NamedTuple):
    """``truncated``: there was more, or it broke off, or its time ran out."""

    data: bytes
    truncated: bool


class Answer(NamedTuple):
    """A host's answer, its body as it is read. ``odd``: what is not as HTTP has it, in words; empty = nothing."""

    status: int
    headers: CIMultiDictProxy[str]
    body: AnswerBody
    odd: str = ""
    waited_s: float = 0.0
    """From the request's last byte until the head was there."""
    read_s: float = 0.0
    connected_s: float = 0.0
    """Until there was a connection; 0 = it was kept."""
    looked_up_s: float = 0.0
    """The part of it that went into the name."""
