"""Custom headers of an integration."""

from __future__ import annotations

import pytest

from dispatcher.policy.notification.headers import FORBIDDEN_NAMES, header_problems


def fields(*headers: tuple[str, str], authenticated: bool = True) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in header_problems(headers, authenticated=authenticated)]


@pytest.mark.parametrize("name", ["X-Tenant", "x-api-key", "Accept", "a" * 64])
def test_ordinary_headers_pass(name: str) -> None:
    assert fields((name, "value with spaces; and=signs")) == []


@pytest.mark.parametrize("name", [*sorted(FORBIDDEN_NAMES), "Host", "Webhook-Id", "X-Forwarded-For", "PROXY-Foo"])
def test_bi44_names_that_are_ours_are_refused(name: str) -> None:
    assert fields((name, "x")) == [("header_not_allowed", "headers.0.name")]


@pytest.mark.parametrize(
    "name",
    [
        *(name.replace("-", "_") for name in sorted(FORBIDDEN_NAMES)),
        *(name.replace("-", ".") for name in sorted(FORBIDDEN_NAMES)),
        "webhook_id",
        "WEBHOOK_Signature",
        "webhook.timestamp",
        "webhook~id",
        "x_event_type",
        "X_Event-Type",
        "x-delivery_attempt",
        "Transfer_Encoding",
        "X_Forwarded_For",
        "x!forwarded!host",
        "Proxy",
        "proxy_authorization",
    ],
)
def test_names_that_cgi_hosts_fold_onto_ours_are_refused(name: str) -> None:
    assert fields((name, "x")) == [("header_not_allowed", "headers.0.name")]


@pytest.mark.parametrize("name", ["X_Tenant", "x-webhook-id", "_webhook", "webhooks", "x.api.key"])
def test_names_with_other_signs_are_free_where_nothing_of_ours_is_like_them(name: str) -> None:
    assert fields((name, "x")) == []


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "a\n", "é", "a" * 65, "(a)", "a\x00"])
def test_bi44_names_that_are_not_tokens_are_refused(name: str) -> None:
    assert fields((name, "x")) == [("header_not_allowed", "headers.0.name")]


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\n", "\x00", "é", "\t", "a" * 1025])
def test_bi44_values_that_break_the_line_are_refused(value: str) -> None:
    assert fields(("X-A", value)) == [("header_not_allowed", "headers.0.value")]


def test_authorization_is_free_only_without_credentials() -> None:
    assert fields(("Authorization", "Token x"), authenticated=False) == []
    assert fields(("authorization", "Token x")) == [("header_not_allowed", "headers.0.name")]


def test_bi46_at_most_twenty_headers() -> None:
    headers = [(f"X-{number}", "x") for number in range(21)]
    assert fields(*headers[:20]) == []
    assert fields(*headers) == [("limit_reached", "headers")]


def test_a_header_is_given_once() -> None:
    assert fields(("X-A", "1"), ("x-a", "2")) == [("duplicate_header", "headers")]
    assert fields(("X-A", "1"), ("X_A", "2")) == [("duplicate_header", "headers")]
