"""Parts of aiohttp that ``worker/http/aiohttp_inside`` leans on without a promise: one that changes fails here."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import ssl
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD
from yarl import URL

from worker.http.aiohttp_inside.destination import Destinations
from worker.http.tls import public_context

ROOT = Path(__file__).parents[3]
INSIDE = ROOT / "worker/http/aiohttp_inside"
PROMISED = frozenset({"aiohttp", "aiohttp.abc", "aiohttp.hdrs", "aiohttp.web"})


def test_the_pin_lets_no_other_minor_version_in() -> None:
    extras: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    pinned = next(one for one in extras["server"] if one.startswith("aiohttp>"))
    major, minor, *_ = version("aiohttp").split(".")
    assert pinned.startswith(f"aiohttp>={major}.{minor}.")
    assert pinned.endswith(f",<{major}.{int(minor) + 1}")


@pytest.mark.parametrize(
    ("part", "parameters"),
    [
        (aiohttp.BaseConnector.connect, ["self", "req", "traces", "timeout"]),
        (Connection.release, ["self"]),
        (Connection.close, ["self"]),
        (ResponseHandler.read, ["self"]),
        (ResponseHandler.exception, ["self"]),
        (ResponseHandler.set_exception, ["self", "exc", "exc_cause"]),
        (aiohttp.StreamReader.is_eof, ["self"]),
        (ResponseHandler.force_close, ["self"]),
        (ResponseHandler.is_connected, ["self"]),
        (aiohttp.StreamReader.set_exception, ["self", "exc", "exc_cause"]),
    ],
    ids=lambda value: value.__qualname__ if callable(value) else "",
)
def test_a_method_takes_what_it_is_given(part: Callable[..., object], parameters: list[str]) -> None:
    assert list(inspect.signature(part).parameters) == parameters


def test_limits_of_an_answer_are_set_by_name() -> None:
    known = inspect.signature(ResponseHandler.set_response_params).parameters
    assert {"read_until_eof", "auto_decompress", "max_line_size", "max_field_size", "max_headers"} <= known.keys()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (Connection, "protocol"),
        (Connection, "transport"),
        (ResponseHandler, "closed"),
        (ResponseHandler, "should_close"),
        (aiohttp.ClientRequest, "request_info"),
        (aiohttp.ClientRequest, "is_ssl"),
        (aiohttp.StreamReader, "_buffer"),
    ],
)
def test_an_attribute_is_where_it_was(kind: type, name: str) -> None:
    assert hasattr(kind, name)


async def test_a_request_is_made_of_a_url_and_keeps_its_proxy_and_host() -> None:
    proxy = URL("http://proxy.example:3128")
    made = aiohttp.ClientRequest("POST", URL("http://host.example:8080"), loop=asyncio.get_running_loop(), proxy=proxy)
    assert (made.proxy, made.proxy_headers, made.headers["Host"]) == (proxy, None, "host.example:8080")


async def test_a_protocol_asks_its_parser_for_three_things_and_lets_it_be_wrapped() -> None:
    protocol = ResponseHandler(asyncio.get_running_loop())
    protocol.set_response_params(read_until_eof=True, auto_decompress=False)
    assert {"feed_data", "feed_eof", "pause_reading"} <= set(dir(protocol._parser))
    asked = {name for kind in ResponseHandler.__mro__[:2] for name in _PARSER_CALL.findall(inspect.getsource(kind))}
    assert asked == {"feed_data", "feed_eof", "pause_reading"}
    assert EMPTY_PAYLOAD.is_eof()


async def test_a_body_that_is_there_lies_in_the_readers_buffer_as_it_came() -> None:
    loop = asyncio.get_running_loop()
    reader = aiohttp.StreamReader(ResponseHandler(loop), 2**16, loop=loop)
    for part in (b"a ", b"body"):
        reader.feed_data(part)
    reader.feed_eof()
    assert (b"".join(reader._buffer), reader.total_bytes, EMPTY_PAYLOAD.total_bytes) == (b"a body", 6, 0)


_PARSER_CALL = re.compile(r"self\._parser\.([a-z_]{1,40})")


def test_an_unreadable_answer_has_a_code_and_a_message() -> None:
    error = HttpProcessingError(code=400, message="not HTTP")
    assert (error.code, error.message) == (400, "not HTTP")


def test_no_other_module_of_the_worker_leans_on_aiohttps_inside() -> None:
    leaning = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / "worker").rglob("*.py")
        if INSIDE not in path.parents
        for name in _imported(path)
        if name.split(".")[0] == "aiohttp" and name not in PROMISED
    }
    assert not leaning


def _imported(path: Path) -> Iterator[str]:
    """Modules, and never the names taken out of them: ``from aiohttp import X`` is promised where X is exported."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


async def test_a_request_by_https_brings_a_context_that_trusts_the_systems_authorities_or_its_own() -> None:
    own = ssl.create_default_context()
    url = "https://host.example/n"
    assert Destinations(None, None).find(url).origin.ssl is public_context()
    assert Destinations(own, None).find(url).origin.ssl is own


def test_connections_are_made_in_one_place() -> None:
    """aiohttp's own contexts trust nobody in a worker, so that each request has to bring one."""
    makers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "worker").rglob("*.py")
        if re.search(r"ClientSession\(|TCPConnector\(", path.read_text())
    }
    assert makers == {"worker/http/connector.py"}
