"""Whatever a host or caller sends, the pure decisions answer within their types and bounds."""

from __future__ import annotations

import json
from ipaddress import IPv4Address, IPv6Address

from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.errors import RequestError
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode
from dispatcher.model.status import Status
from dispatcher.policy.addresses.legacy_ipv4 import looks_numeric, parse_legacy_ipv4
from dispatcher.policy.addresses.networks import embedded_ipv4, refusal
from dispatcher.policy.addresses.urls import check_url
from dispatcher.policy.answers.outcome import classify
from dispatcher.policy.notification.headers import header_problems
from dispatcher.policy.pace.retry import parse_retry_after
from dispatcher.policy.payload_rules import validate_payload
from dispatcher.policy.secrets.redaction import MAX_EXCERPT_BYTES, scrub
from dispatcher.policy.strict_json import read_json

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
FIELD = st.sampled_from(["success", "Success", "errorCode", "message", "accountIdentifier"])
JSON_ANSWER = st.dictionaries(FIELD, ANY_JSON, max_size=5).map(lambda fields: json.dumps(fields).encode())
XML_PIECES = [
    "<r>",
    "</r>",
    "<success>",
    "</success>",
    "true",
    "false",
    "<!--",
    "",
    "-->",
    "<a:b>",
    "<![CDATA[",
    "]]>",
    "<?x?>",
    "&a;",
    "&#0;",
    "\x00",
    "é",
    "<!DOCTYPE",
    "<!ENTITY",
]
XML_DECLARATION = '<?xml version="1.0" encoding="utf-16"?>'
XML_PIECE = st.sampled_from([*XML_PIECES, XML_DECLARATION])
XML_ANSWER = st.lists(XML_PIECE, max_size=12).map(lambda pieces: "".join(pieces).encode())
CONTENT_TYPE = st.none() | st.text(max_size=40) | st.text(max_size=12).map(lambda name: f"text/xml; charset={name}")


@given(
    status=st.integers(0, 999),
    body=st.binary(max_size=400) | JSON_ANSWER | XML_ANSWER,
    truncated=st.booleans(),
    content_type=CONTENT_TYPE,
    mode=st.sampled_from(AnswerMode),
    event_type=st.sampled_from(EventType),
    flag=st.sampled_from([None, "STATELESS", "DEVELOPMENT"]),
)
def test_every_answer_gets_a_verdict(
    status: int,
    body: bytes,
    truncated: bool,
    content_type: str | None,
    mode: AnswerMode,
    event_type: EventType,
    flag: str | None,
) -> None:
    verdict = classify(status, body, truncated, content_type, mode, event_type, flag)
    assert verdict.status in {
        Status.SUCCEEDED,
        Status.FAILED,
        Status.AWAITING_RESULT,
        Status.RETRYING,
        Status.DEAD,
    }
    assert (verdict.status is Status.SUCCEEDED) == (
        verdict.error_code is None and verdict.status is not Status.AWAITING_RESULT
    )
    assert len(verdict.message or "") <= 1000
    assert len(verdict.account_identifier or "") <= 255
    if not 200 <= status < 300:
        assert verdict.status in {Status.RETRYING, Status.DEAD}


@given(st.text() | st.from_regex(r"https?://[^/?#]{0,30}(:[0-9]{1,6})?/.{0,10}", fullmatch=True))
@example("https://xn--/")
@example("http://[")
@example("https://\u0130.com")
@example("https://a.xn--a-ecp.com/")
@example("http://\uff11\uff12\uff17.1/")
def test_every_url_is_judged_without_raising(url: str) -> None:
    problem = check_url(url, require_https=False, field="createUrl")
    assert problem is None or problem.code == "url_not_allowed"


@given(st.ip_addresses(v=4))
def test_no_spelling_of_a_refused_address_passes(ip: IPv4Address) -> None:
    if refusal(ip) is None:
        return
    octets = ip.packed
    for host in (
        str(ip),
        str(int(ip)),
        f"{int(ip):#x}",
        f"0{int(ip):o}",
        f"[::ffff:{ip}]",
        f"[2002:{ip.packed.hex()[:4]}:{ip.packed.hex()[4:]}::]",
    ):
        assert check_url(f"http://{host}/", require_https=False) is not None
    assert parse_legacy_ipv4(f"{octets[0]}.{int.from_bytes(octets[1:])}") == ip


WITH_IPV4_INSIDE = st.builds(
    lambda high, middle, ip: IPv6Address(high << 64 | middle << 32 | int(ip)),
    st.integers(0, 2**64 - 1),
    st.sampled_from([0x5EFE, 0x0200_5EFE, 0xFFFF, 0xFFFF_0000, 0]),
    st.ip_addresses(v=4),
)


@given(st.ip_addresses(v=6) | WITH_IPV4_INSIDE)
def test_addresses_are_judged_and_embedded_ones_found(ip: IPv6Address) -> None:
    if embedded_ipv4(ip):
        assert refusal(ip) is not None


@given(st.text(alphabet="0123456789abcdefxX.", max_size=20))
def test_numeric_hosts_are_addresses_or_nothing(host: str) -> None:
    if looks_numeric(host):
        assert check_url(f"http://{host}/", require_https=False) is not None or str(IPv4Address(host)) == host


@given(st.binary(max_size=300) | ANY_JSON.map(lambda value: json.dumps(value).encode()))
def test_json_is_read_or_refused_with_a_code(raw: bytes) -> None:
    found = outcome(raw)
    if isinstance(found, RequestError):
        assert found.status in (400, 422)
        assert found.problems[0].code
    else:
        assert json.loads(raw) == found[0]
        json.dumps(found[0], allow_nan=False, ensure_ascii=False).encode()


def outcome(raw: bytes) -> tuple[object] | RequestError:
    try:
        return (read_json(raw),)
    except RequestError as error:
        return error


@given(st.text() | st.binary(), st.lists(st.text(max_size=20), max_size=3), st.integers(16, MAX_EXCERPT_BYTES))
def test_excerpts_are_bounded_printable_utf8(text: str | bytes, secrets: list[str], limit_bytes: int) -> None:
    shown = scrub(text, secrets, limit_bytes)
    assert len(shown.encode()) <= limit_bytes
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in shown)


@given(st.text(max_size=80))
def test_retry_after_is_seconds_or_nothing(value: str) -> None:
    seconds = parse_retry_after(value, 1_674_087_231.0)
    assert seconds is None or seconds >= 0


@given(st.lists(st.tuples(st.text(max_size=70), st.text(max_size=40)), max_size=25), st.booleans())
def test_headers_that_pass_cannot_break_a_request(headers: list[tuple[str, str]], authenticated: bool) -> None:
    if not header_problems(headers, authenticated=authenticated):
        assert len(headers) <= 20
        assert all(name.isascii() and name.isprintable() and ":" not in name and " " not in name for name, _ in headers)
        assert all(value.isascii() and (value.isprintable() or not value) for _, value in headers)


@given(
    st.sampled_from(EventType),
    st.dictionaries(st.sampled_from(["notice", "account", "order", "user", "configuration", "x"]), ANY_JSON),
)
def test_every_payload_is_judged_without_raising(kind: EventType, payload: dict[str, object]) -> None:
    for problem in validate_payload(kind, payload):
        assert (problem.field or "").startswith("payload.")
