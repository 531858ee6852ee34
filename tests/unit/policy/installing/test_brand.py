"""A marketplace may look as it likes, as long as it can be read and its images load and run nothing."""

from __future__ import annotations

import base64

import pytest

from dispatcher.model.marketplace import Brand
from dispatcher.policy.installing.brand import MAX_LOGO_CHARS, brand_problems, contrast_on_white, image_refusal

PIXEL = "data:image/png;base64,iVBORw0KGgo="


def svg(inside: str, head: str = "") -> str:
    text = f'{head}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">{inside}</svg>'
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode()


def test_contrast_is_that_of_the_wcag() -> None:
    assert round(contrast_on_white("#000000"), 1) == 21.0
    assert round(contrast_on_white("#ffffff"), 1) == 1.0
    assert round(contrast_on_white("#767676"), 2) == 4.54


@pytest.mark.parametrize("accent", ["#767676", "#0F8A5F", "#000000", "#2563eb"])
def test_readable_accents_are_taken(accent: str) -> None:
    assert contrast_on_white(accent) >= 4.3
    assert [one.code for one in brand_problems(Brand(accent=accent))] == (
        [] if contrast_on_white(accent) >= 4.5 else ["contrast_too_low"]
    )


@pytest.mark.parametrize("accent", ["#777777", "#ffff00", "#ffffff", "#ff8800"])
def test_accents_under_4_5_to_1_are_refused(accent: str) -> None:
    (problem,) = brand_problems(Brand(accent=accent))
    assert (problem.code, problem.field) == ("contrast_too_low", "brand.accent")


@pytest.mark.parametrize("accent", ["red", "#fff", "#12345g", "#1234567", "123456", "", "#123456\n"])
def test_an_accent_is_written_as_six_digits(accent: str) -> None:
    assert [one.code for one in brand_problems(Brand(accent=accent))] == ["invalid_value"]


@pytest.mark.parametrize("language", ["en", "de", "de-CH", "zh-Hant-TW"])
def test_languages_are_tags(language: str) -> None:
    assert not list(brand_problems(Brand(language=language)))


@pytest.mark.parametrize("language", ["", "e", "deutsch!", "en_US", "../en"])
def test_other_languages_are_refused(language: str) -> None:
    assert [one.field for one in brand_problems(Brand(language=language))] == ["brand.language"]


@pytest.mark.parametrize(
    "logo",
    [
        PIXEL,
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3C/svg%3E",
        svg('<path d="M0 0h1v1z" fill="#123456"/><use xlink:href="#a"/>'),
        svg("<style>path { fill: url(#gradient) }</style>"),
        "/images/company-logos/netsuite.png",
    ],
)
def test_images_that_load_and_run_nothing_are_shown(logo: str) -> None:
    assert image_refusal(logo) is None


@pytest.mark.parametrize(
    "logo",
    [
        "https://cdn.example.com/logo.png",
        "//cdn.example.com/logo.png",
        "/\\cdn.example.com",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:image/png;base64,not base64!",
        "logo.png",
        "",
        "data:image/png;base64," + "A" * MAX_LOGO_CHARS,
        svg("<script>alert(1)</script>"),
        svg("<SCRIPT>alert(1)</SCRIPT>"),
        svg('<path onload="alert(1)"/>'),
        svg('<a xlink:href="javascript:alert(1)"/>'),
        svg('<image href="https://example.com/a.png"/>'),
        svg("<foreignObject/>"),
        svg('<set attributeName="onload" to="alert(1)"/>'),
        svg("<style>@import 'https://example.com/a.css'</style>"),
        svg('<path style="fill: url(https://example.com/a)"/>'),
        svg("", '<!DOCTYPE svg [<!ENTITY a "aaaa">]>'),
        "data:image/svg+xml;base64," + base64.b64encode(b"<svg").decode(),
    ],
)
def test_images_that_load_or_run_something_are_refused(logo: str) -> None:
    assert image_refusal(logo)
    assert [one.field for one in brand_problems(Brand(logo=logo))] == ["brand.logo"]


def test_addresses_are_taken_where_pages_show_a_letter_instead() -> None:
    assert image_refusal("https://cdn.example.com/logo.png", remote=True) is None
    assert image_refusal("javascript:alert(1)", remote=True)
