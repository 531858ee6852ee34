"""Requests that accept an event, ordinary and odd, as they are on the wire. Holds no test."""

from __future__ import annotations

import gzip
from typing import Any

import orjson

from tests.api.conftest import PRODUCT

EVENT = orjson.dumps({"type": "SUBSCRIPTION_CHANGE", "productId": PRODUCT, "accountId": "A-1", "payload": {"n": 1}})
NEXT = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Behind whatever does not end its connection: the answer says that it was in order."""
ENDING = frozenset(
    {
        "an expectation that is none",
        "the end of the connection",
        "HTTP/1.0",
        "two lengths",
        "a length that is none",
        "a length and chunks",
        "a body too large",
        "a header too long",
        "too many headers",
        "no HTTP behind",
        "the end between two",
    }
)


def post(
    body: bytes = EVENT, *headers: str, path: str = "/v1/events", token: str = "TOKEN", plain: bool = True
) -> bytes:
    own = [f"Authorization: Bearer {token}", f"Content-Length: {len(body)}"] if plain else []
    given = {line.partition(":")[0].lower() for line in headers}
    own += [] if "content-type" in given or not plain else ["Content-Type: application/json"]
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *own, *headers])
    return head.encode("latin-1") + b"\r\n\r\n" + body


def said(**fields: Any) -> bytes:
    return orjson.dumps({"type": "SUBSCRIPTION_CHANGE", "productId": PRODUCT} | fields)


def asks(method: str, path: str = "/v1/events") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n".encode()


CHUNKED = "Authorization: Bearer TOKEN", "Content-Type: application/json", "Transfer-Encoding: chunked"
ORDINARY = {
    "plain": post(),
    "names in lower case": post().replace(b"Authorization", b"authorization").replace(b"Content-", b"content-"),
    "an id of the caller's": post(EVENT, "X-Request-Id: mine-1"),
    "an id that is none": post(EVENT, "X-Request-Id: not an id"),
    "a charset": post(EVENT, "Content-Type: application/json; charset=utf-8"),
    "a trace": post(EVENT, "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    "a trace that is none": post(EVENT, "traceparent: 00-zz"),
    "what a proxy adds": post(EVENT, "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https", "Via: 1.1 x"),
    "three in one piece": post() * 3,
    "no account": post(said()),
    "numbers beyond 64 bits": post(said(payload={"n": 0}).replace(b'"n":0', b'"n":1234567890123456789012.50')),
    "space between": post(b' { "type" : "SUBSCRIPTION_CHANGE",\n "productId" : "P-1" } '),
    "an account's client": post(EVENT, token="OWN"),
    "a key": post(EVENT, "Idempotency-Key: WAY"),
    "a key's name in lower case": post(EVENT, "idempotency-key: WAY"),
}
"""Begun at once, each."""
ODD = {
    "a client with a rate": post(EVENT, token="RATED") * 3,
    "no token": post(plain=False).replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(EVENT), 1),
    "a token that is none": post(token="x.y.z"),
    "a token twice": post(EVENT, "Authorization: Bearer x"),
    "another scheme": post().replace(b"Bearer", b"Basic"),
    "too few rights": post(token="READS"),
    "another's account": post(said(accountId="B"), token="OWN"),
    "no JSON": post(b"{"),
    "not UTF-8": post(b'{"type":"\xff"}'),
    "a name twice": post(b'{"type":"SUBSCRIPTION_CHANGE","type":"SUBSCRIPTION_CHANGE","productId":"P-1"}'),
    "NaN": post(b'{"type":"SUBSCRIPTION_CHANGE","productId":"P-1","payload":{"n":NaN}}'),
    "half a surrogate": post(b'{"type":"SUBSCRIPTION_CHANGE","productId":"P-1","payload":{"n":"\\ud800"}}'),
    "too deep": post(
        b'{"type":"SUBSCRIPTION_CHANGE","productId":"P-1","payload":{"n":' + b"[" * 99 + b"]" * 99 + b"}}"
    ),
    "an array": post(b"[]"),
    "nothing": post(b""),
    "an unknown field": post(said(color="red")),
    "many unknown fields": post(said(**{f"f{n}": n for n in range(90)})),
    "wrong types": post(said(accountId=1, payload=[], flag="X")),
    "control characters": post(said(accountId="A\x01")),
    "no type": post(b'{"productId":"P-1"}'),
    "a type that is none": post(said(type="nothing")),
    "a product that is none": post(said(productId="P-2")),
    "a payload that is none": post(said(payload={"account": 1, "order": {"items": 3}})),
    "the working version": post(said(flag="DEVELOPMENT")),
    "an order": post(said(type="SUBSCRIPTION_ORDER")),
    "text": post(EVENT, "Content-Type: text/plain"),
    "no media type": post(EVENT, "Content-Type:"),
    "another charset": post(EVENT, "Content-Type: application/json; charset=latin-1"),
    "packed": post(gzip.compress(EVENT), "Content-Encoding: gzip"),
    "packed by name": post(EVENT, "Content-Encoding: gzip"),
    "packed in an unknown way": post(EVENT, "Content-Encoding: br"),
    "a key twice": post(EVENT, "Idempotency-Key: a", "Idempotency-Key: b"),
    "a key of nothing": post(EVENT, "Idempotency-Key:"),
    "a CloudEvent": post(EVENT, "ce-specversion: 1.0", "ce-id: WAY", "ce-source: s", "ce-type: create"),
    "a header nobody knows": post(EVENT, "X-Else: 1"),
    "an expectation": post(EVENT, "Expect: 100-continue"),
    "an expectation that is none": post(EVENT, "Expect: tea"),
    "an upgrade": post(EVENT, "Connection: upgrade", "Upgrade: websocket"),
    "the end of the connection": post(EVENT, "Connection: close"),
    "HTTP/1.0": post().replace(b"HTTP/1.1", b"HTTP/1.0"),
    "HTTP/1.0 that stays": post(EVENT, "Connection: keep-alive").replace(b"HTTP/1.1", b"HTTP/1.0"),
    "two lengths": post(EVENT, "Content-Length: 3"),
    "a length that is none": post().replace(b"Content-Length: ", b"Content-Length: -"),
    "a length and chunks": post(EVENT, "Transfer-Encoding: chunked"),
    "a large body": post(said(payload={"text": "x" * 20_000})),
    "a body too large": post(said(payload={"text": "x" * (1 << 20)})),
    "a header too long": post(EVENT, "Accept: " + "x" * 9000),
    "too many headers": post(EVENT, *("Accept: a" for _ in range(200))),
    "a query": post(path="/v1/events?a=1"),
    "another spelling": post(path="/v1/%65vents"),
    "a path below": post(path="/v1/events/"),
    "the whole address": post(path="http://x/v1/events"),
    "a batch": post(b"[" + EVENT + b"]", path="/v1/events/batch"),
    "GET": asks("GET"),
    "HEAD": asks("HEAD"),
    "OPTIONS": asks("OPTIONS"),
    "PUT": asks("PUT"),
    "no HTTP behind": post() + b"no HTTP\r\n\r\n",
    "a fault between two": post() + post(b"{") + post(),
    "a look between two": post() + asks("GET", "/healthz") + post(),
    "chunks between two": post() + post(b"0\r\n\r\n", *CHUNKED, plain=False) + post(),
    "more than the queue holds": post() * 60,
    "the end between two": post() + post(EVENT, "Connection: close") + post(),
}
IN_PIECES = {
    "head and body apart": [post().replace(EVENT, b""), EVENT],
    "cut in the head": [post()[:30], post()[30:]],
    "cut in the body": [post()[:-5], post()[-5:]],
    "two, cut in the second": [post() + post()[:40], post()[40:]],
    "chunks": [post(b"", *CHUNKED, plain=False), b"%x\r\n" % len(EVENT) + EVENT, b"\r\n0\r\n\r\n"],
}
