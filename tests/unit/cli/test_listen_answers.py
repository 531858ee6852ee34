"""Answers to what `dispatcher listen` forwards: in a line, and two compared."""

from __future__ import annotations

from dispatcher.cli.listen.answers import Answer, difference, line


def test_an_answer_is_one_line_that_cannot_steer_the_terminal() -> None:
    assert line(Answer(200, b'{"success":true}', 12.4)) == '200 in 12 ms  {"success":true}'
    assert line(Answer(204, b"", 0.6)) == "204 in 1 ms"
    assert "\x1b" not in line(Answer(500, b"\x1b[2J" + b"x" * 500, 1.0))
    assert line(Answer(0, b"no answer in time", 0.0)) == "no answer: no answer in time"


def test_two_answers_are_compared_field_by_field() -> None:
    before = Answer(200, b'{"success":true,"message":"a"}', 1.0, {"Content-Type": "application/json"})
    after = Answer(503, b'{"success":false,"message":"a"}', 9.0, {"Content-Type": "application/json"})
    lines = difference(before, after)
    assert {"-status 200", "+status 503", '-  "success": true,', '+  "success": false,'} <= set(lines)
    assert not [one for one in lines if "message" in one and one[0] in "+-"]
    assert difference(before, before) == ["both answers are alike"]
