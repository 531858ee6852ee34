"""Promises to any HTTP client: conditions on records, HEAD, unknown methods, expectations and codings."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.api.http.request.body import MAX_MEMBERS, inflate
from dispatcher.api.table import api_routes
from dispatcher.cli.processes.listening import listening
from dispatcher.errors import RequestError
from dispatcher.settings import Settings
from tests.api.conftest import KEY, Api
from tests.api.test_connection import said

SENT_AS_THEY_ARE = {"Content-Type": "application/json"}


@pytest.fixture
async def port(redis: Redis) -> AsyncIterator[int]:
    async with listening(Settings.model_validate({"port": 0, "secret_keys": KEY}), redis) as api:
        yield api.settings.port


@pytest.fixture
async def record(api: Api) -> tuple[str, str]:
    """A client's address and its tag."""
    made = await api.json("POST", "/v1/clients", 201, json={"scopes": ["events:read"]})
    path = f"/v1/clients/{made['clientId']}"
    return path, (await api.ask("GET", path)).headers["ETag"]


ALLOWING = ['"other", {tag}', '{tag}, "other"', '"a,b" ,{tag}', '"o\\"ther",{tag}', "*", '"x", *', ',{tag},,"z"']
REFUSING = ['"other", "another"', "W/{tag}", '"other", W/{tag}', "", '"']


async def test_a_change_meant_for_one_of_several_states_is_made(api: Api, record: tuple[str, str]) -> None:
    path, tag = record
    for listed in ALLOWING:
        answer = await api.ask("PATCH", path, json={"name": "n"}, headers={"If-Match": listed.format(tag=tag)})
        assert answer.status == 200, listed
        tag = answer.headers["ETag"]


async def test_a_change_meant_for_other_states_is_not_made(api: Api, record: tuple[str, str]) -> None:
    path, tag = record
    for listed in REFUSING:
        given = {"If-Match": listed.format(tag=tag)}
        await api.refused("PATCH", path, 412, "precondition_failed", json={"name": "n"}, headers=given)


async def test_conditions_may_come_in_several_header_lines(api: Api, record: tuple[str, str]) -> None:
    path, tag = record
    lines = [*api.headers.items(), ("If-Match", '"other"'), ("If-Match", tag)]
    answer = await api.http.patch(path, json={"name": "n"}, headers=lines)
    assert answer.status == 200


async def test_a_change_is_not_made_in_a_state_that_if_none_match_names(api: Api, record: tuple[str, str]) -> None:
    path, tag = record
    for listed, status in (("*", 412), ("{tag}", 412), ("W/{tag}", 412), ('"other", "b"', 200)):
        given = {"If-None-Match": listed.format(tag=tag)}
        assert (await api.ask("PATCH", path, json={"name": "n"}, headers=given)).status == status


async def test_what_the_asker_has_is_not_sent_again(api: Api, record: tuple[str, str]) -> None:
    path, tag = record
    for method in ("GET", "HEAD"):
        for listed in ("{tag}", "W/{tag}", '"other", {tag}', "*"):
            answer = await api.ask(method, path, headers={"If-None-Match": listed.format(tag=tag)})
            assert (answer.status, answer.headers["ETag"], await answer.read()) == (304, tag, b"")
        assert (await api.ask(method, path, headers={"If-None-Match": '"other"'})).status == 200


async def test_the_api_document_is_sent_again_only_when_it_changed(api: Api) -> None:
    tag = (await api.ask("GET", "/openapi.json")).headers["ETag"]
    answer = await api.ask("GET", "/openapi.json", headers={"If-None-Match": tag})
    assert (answer.status, answer.headers["Cache-Control"]) == (304, "no-cache")


READ = [route.path for route in api_routes() if route.method == "GET"]


async def test_head_is_answered_as_get_without_the_body(api: Api) -> None:
    for path in READ:
        address = path.replace("{", "").replace("}", "")
        head = await api.ask("HEAD", address)
        assert await head.read() == b""
        if path == "/v1/events/stream":
            assert (head.status, head.content_type) == (200, "text/event-stream")
            continue
        got = await api.ask("GET", address)
        assert (head.status, head.headers.get("Content-Type")) == (got.status, got.headers.get("Content-Type")), path


async def test_head_of_an_export_reads_no_event(api: Api) -> None:
    answer = await api.ask("HEAD", "/v1/events", headers={"Accept": "application/x-ndjson"})
    assert (answer.status, answer.content_type, await answer.read()) == (200, "application/x-ndjson", b"")


@pytest.mark.parametrize("protocol", [b"h2c", b"TLS/1.0", b"IRC/6.9, RTA/x11"])
async def test_a_request_for_another_protocol_is_answered_and_the_last_one(port: int, protocol: bytes) -> None:
    """Symptom: what came together with it was never answered, and the connection stood open for ten seconds."""
    asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"
    head, body = await said(port, asked + b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (head.startswith(b"HTTP/1.1 200"), b"\r\nConnection: close" in head) == (True, True)
    assert body == b'{"status":"ok"}'


async def test_bi30_a_method_that_nobody_knows_is_405_with_what_the_address_takes(port: int) -> None:
    for method in (b"FOO", b"get", b"GETX", b"POSTAL", b"M-FOO", b"X!#$%&'*+.^_`|~9"):
        head, body = await said(port, method + b" /v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert head.split(b" ")[1] == b"405", method
        assert b"\r\nAllow: GET,HEAD,POST" in head
        assert b"\r\nConnection: close" in head or head.startswith(b"HTTP/1.0")
        assert orjson.loads(body)["errors"][0]["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("target", "status"),
    [(b"/nowhere", b"404"), (b"http://x/healthz", b"405"), (b"/healthz?a=%00", b"405"), (b"*", b"404"), (b"[", b"404")],
)
async def test_bi31_a_method_that_nobody_knows_is_refused_by_its_address(
    port: int, target: bytes, status: bytes
) -> None:
    head, _ = await said(port, b"FOO " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert head.split(b" ")[1] == status


async def test_bi30_a_fixed_address_allows_its_own_methods_alone(api: Api) -> None:
    answer = await api.http.options("/v1/events/batch")
    assert (answer.status, answer.headers["Allow"]) == (204, "POST")
    refused = await api.ask("GET", "/v1/events/batch")
    assert (refused.status, refused.headers["Allow"]) == (405, "POST")
    refused = await api.ask("POST", "/v1/events/count")
    assert (refused.status, refused.headers["Allow"]) == (405, "GET,HEAD")


async def test_a_method_that_the_address_does_not_take_is_405(port: int) -> None:
    for method in (b"PROPFIND", b"PUT", b"TRACE", b"QUERY", b"LOCK"):
        request = method + b" /v1/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        head, body = await said(port, request)
        assert head.split(b" ")[1] == b"405", method
        assert b"\r\nAllow: GET,HEAD,POST" in head
        assert orjson.loads(body)["errors"][0]["code"] == "method_not_allowed"


async def test_an_expectation_that_cannot_be_met_is_417_in_the_form_of_every_error(port: int) -> None:
    for path in (b"/v1/events", b"/healthz", b"/nowhere", b"/v1/events?x=1"):
        for expected in (b"tea", b"100-continue, tea", b"200-ok"):
            request = b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nExpect: " + expected + b"\r\n\r\n"
            head, body = await said(port, request)
            document = orjson.loads(body)
            assert head.split(b" ")[1] == b"417"
            assert document["errors"][0]["code"] == "expectation_failed"
            assert document["requestId"].encode() in head


ANSWERED = (
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    b"GET /docs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"no HTTP at all\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n",
)


async def test_no_answer_names_a_version_of_what_serves_it(port: int) -> None:
    for request in ANSWERED:
        head, _ = await said(port, request)
        named = [line for line in head.split(b"\r\n") if line.lower().startswith(b"server:")]
        assert named == [b"Server: dispatcher"], request


async def test_the_receipt_of_an_event_names_no_version_either(api: Api) -> None:
    event = {"productId": "P-1", "accountId": "A", "type": "SUBSCRIPTION_CANCEL", "payload": {}}
    assert (await api.ask("POST", "/v1/events", json=event)).headers["Server"] == "dispatcher"


async def test_a_refused_coding_or_type_says_which_would_be_taken(api: Api) -> None:
    coded = await api.ask("POST", "/v1/events", data=b"x", headers=SENT_AS_THEY_ARE | {"Content-Encoding": "br"})
    assert (coded.status, coded.headers["Accept-Encoding"]) == (415, "gzip, identity")
    typed = await api.ask("POST", "/v1/events", data=b"x", headers={"Content-Type": "text/csv"})
    assert (typed.status, typed.headers["Accept"]) == (415, "application/json, application/cloudevents+json")


async def test_a_body_of_several_gzip_members_is_read_whole(api: Api) -> None:
    body = b'{"scopes": ["events:read"], "name": "in pieces"}'
    sent = gzip.compress(body[:10]) + gzip.compress(b"") + gzip.compress(body[10:])
    for coding in ("gzip", "X-GZIP", "identity, gzip", "gzip,"):
        headers = SENT_AS_THEY_ARE | {"Content-Encoding": coding}
        made = await api.json("POST", "/v1/clients", 201, data=sent, headers=headers)
        assert made["name"] == "in pieces"


async def test_codings_upon_codings_are_415(api: Api) -> None:
    for coding in ("gzip, gzip", "deflate", "gzip, br", "*"):
        headers = SENT_AS_THEY_ARE | {"Content-Encoding": coding}
        refused = "unsupported_encoding", "Content-Encoding"
        await api.refused("POST", "/v1/clients", 415, *refused, data=b"x", headers=headers)


def test_members_of_gzip_are_bounded_together() -> None:
    one = gzip.compress(b"a" * 600)
    assert inflate(one, 1000) == b"a" * 600
    for sent, code in (
        (one + one, "body_too_large"),
        (gzip.compress(b"") * (MAX_MEMBERS + 1), "invalid_encoding"),
        (gzip.compress(b"a") + one[:-3], "invalid_encoding"),
        (one + b"rest", "invalid_encoding"),
        (b"", "invalid_encoding"),
    ):
        with pytest.raises(RequestError) as refused:
            inflate(sent, 1000)
        assert refused.value.problems[0].code == code
