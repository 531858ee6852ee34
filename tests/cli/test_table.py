"""Tables fit the terminal without cutting an id, and are never folded in a pipe."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from dispatcher.cli.terminal.table import print_table, table_lines

HEADINGS = ["ID", "TEXT", "STATE"]
ID = "evt_" + "0" * 26
SENTENCE = "the host answered 503 to every attempt since this morning, and asks for a pause of two minutes"
ROW = [ID, SENTENCE, "DEAD"]

WORDS = st.lists(st.text("ab測-", min_size=1, max_size=30), max_size=12).map(" ".join)


def bare(lines: list[str]) -> list[str]:
    return [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in lines]


def test_a_row_stays_on_one_line_where_nobody_looks_at_it() -> None:
    heading, line = bare(table_lines(HEADINGS, [ROW], {}, None))
    assert line == f"{ID}  {SENTENCE}  DEAD"
    assert heading.split() == HEADINGS
    assert heading.index("STATE") == line.index("DEAD")


def test_sentences_are_broken_between_words_to_fit() -> None:
    lines = bare(table_lines(HEADINGS, [ROW], {}, 80))
    assert max(map(cell_len, lines)) <= 80
    column = slice(lines[0].index("TEXT"), lines[0].index("STATE"))
    assert " ".join(" ".join(line[column] for line in lines[1:]).split()) == SENTENCE
    assert lines[1].endswith("DEAD")


def test_what_cannot_stand_side_by_side_stands_in_blocks() -> None:
    lines = table_lines(HEADINGS, [ROW, ROW], {}, 40)
    block = [f"ID     {ID}", f"TEXT   {SENTENCE}", "STATE  DEAD"]
    assert lines == [*block, "", *block]


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(WORDS, WORDS), max_size=4), width=st.integers(1, 120))
def test_every_word_is_shown_at_every_width(rows: list[tuple[str, str]], width: int) -> None:
    text = " ".join(bare(table_lines(["A", "B"], rows, {}, width)))
    assert sorted(" ".join(" ".join(row) for row in rows).split()) == sorted(
        word for word in text.split() if word not in ("A", "B")
    )


def test_colours_take_no_room(capsys: pytest.CaptureFixture[str]) -> None:
    lines = table_lines(["A", "B"], [["DEAD", "x"], ["SUCCEEDED", "y"]], {"DEAD": "red"}, 80)
    assert lines[1] == "\x1b[31mDEAD\x1b[0m       x"
    print_table(["A", "B"], [["DEAD", "x"]], {"DEAD": "red"})
    assert capsys.readouterr().out == "A     B\nDEAD  x\n"
