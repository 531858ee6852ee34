"""The message catalogue: complete in every language, chosen as people ask, and no way round the escaping."""

from __future__ import annotations

from string import Formatter

import pytest
from markupsafe import Markup

from dispatcher.pages.messages import Messages, choose, languages, messages


def names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", languages())
def test_every_language_has_every_text_with_the_same_names(language: str) -> None:
    default, other = messages("en").texts, messages(language).texts
    assert other.keys() == default.keys()
    assert {key for key in default if names(default[key]) != names(other[key])} == set()
    assert [key for key, text in other.items() if not text.strip() or text != text.strip()] == []


def test_german_ships() -> None:
    assert languages()[:2] == ("en", "de")


@pytest.mark.parametrize(
    ("wanted", "header", "chosen"),
    [
        ((), "", "en"),
        (("de",), "en", "de"),
        ((None, "de-AT"), "", "de"),
        (("tlh",), "de;q=0.5, en;q=0.4", "de"),
        ((), "fr, de-CH;q=0.8, en;q=0.9", "en"),
        ((), "de;q=0, en", "en"),
        ((), "*", "en"),
        ((), "de;q=x,,;;", "en"),
        ((), "../../etc", "en"),
        (("../en",), "DE", "de"),
    ],
)
def test_language_is_the_sessions_then_the_browsers(wanted: tuple[str | None, ...], header: str, chosen: str) -> None:
    assert choose(wanted, header).language == chosen


def test_values_are_escaped_and_markup_is_kept() -> None:
    text = Messages("en", {"greets": "Hello <{who}> & {link}"})
    assert text("greets", who="<b>", link=Markup("<a>x</a>")) == "Hello &lt;&lt;b&gt;&gt; &amp; <a>x</a>"
    assert text.plain("greets", who="<b>", link="x") == "Hello <<b>> & x"


def test_languages_know_their_direction() -> None:
    assert [Messages(language, {}).direction for language in ("en", "ar", "he-IL")] == ["ltr", "rtl", "rtl"]
