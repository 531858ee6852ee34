"""Half-open URLs of one integration: one attempt at a time, and none that did not see what the last one showed."""

from __future__ import annotations

from dispatcher.policy.pace.half_open import HalfOpenUrls

URL, OTHER = "https://host/a", "https://host/b"
FIRST, SECOND = ("event-1", 1), ("event-2", 1)


def test_one_attempt_at_a_time_goes_to_a_url() -> None:
    urls = HalfOpenUrls()
    assert urls.begin(URL, FIRST, urls.moment)
    assert not urls.begin(URL, SECOND, urls.moment)
    assert urls.begin(OTHER, SECOND, urls.moment)
    assert (urls.taken_by(FIRST), urls.taken_by(SECOND)) == (URL, OTHER)
    urls.end(FIRST)
    assert urls.taken_by(FIRST) is None
    assert urls.begin(URL, FIRST, urls.moment)


def test_whoever_asked_before_the_last_attempt_ended_has_to_ask_again() -> None:
    """It would go to a URL that is suspended by now."""
    urls = HalfOpenUrls()
    assert urls.begin(URL, FIRST, urls.moment)
    asked = urls.moment
    urls.end(FIRST)
    assert not urls.begin(URL, SECOND, asked)
    assert urls.begin(URL, SECOND, urls.moment)


def test_ending_what_took_nothing_up_changes_nothing() -> None:
    urls = HalfOpenUrls()
    moment = urls.moment
    urls.end(SECOND)
    assert urls.moment == moment
