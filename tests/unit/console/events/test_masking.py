"""Notifications as everybody may see them: the envelope in clear, the content masked."""

from __future__ import annotations

from dispatcher.console.events.masking import MASK, masked_content

BODY = {"id": "e", "eventUrl": "u", "creator": {"email": "a"}, "payload": {"user": "b", "none": None}}
SHOWN = {"id": "e", "eventUrl": "u", "creator": {"email": MASK}, "payload": {"user": MASK, "none": None}}


def test_the_envelope_is_shown_and_the_content_masked() -> None:
    assert masked_content(BODY) == SHOWN
    event = {"specversion": "1.0", "subject": "A-1", "data": BODY}
    assert masked_content(event) == {"specversion": "1.0", "subject": "A-1", "data": SHOWN}


def test_of_any_other_form_everything_is_masked() -> None:
    assert masked_content({"data": {"x": 1}, "type": "t"}) == {"data": {"x": MASK}, "type": MASK}
    assert masked_content(["x"]) == [MASK]
