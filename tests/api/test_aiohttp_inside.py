"""Notices when aiohttp changes where ``dispatcher/api/http/aiohttp_inside`` leans on it."""

from __future__ import annotations

import hashlib
import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from dispatcher.api.http import aiohttp_inside

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "dispatcher" / "api" / "http" / "aiohttp_inside"
INSIDE = re.compile(r"from aiohttp\.\w+ import|import aiohttp\.|\b(request|protocol|message)\._[a-z]")
ELSEWHERE = ("aiohttp.typedefs", "HttpProcessingError")
PLACES = {
    *("_messages", "_waiter", "_handler_waiter", "_request_in_progress", "_close", "_force_close", "_manager"),
    *("_keepalive_handle", "_keepalive_timeout", "_next_keepalive_close_time"),
}
SIGNATURES = {
    web.RequestHandler.handle_error: ["self", "request", "status", "exc", "message"],
    web.RequestHandler._make_error_handler: ["self", "err_info"],
    web.RequestHandler.data_received: ["self", "data"],
    web.RequestHandler.close: ["self"],
    web.RequestHandler.force_close: ["self"],
    web.RequestHandler._process_keepalive: ["self"],
    web.StreamResponse.prepare: ["self", "request"],
    web.StreamResponse.write_eof: ["self", "data"],
    web.UrlMappingMatchInfo.add_app: ["self", "app"],
    web.UrlMappingMatchInfo.freeze: ["self"],
}


def test_the_installed_aiohttp_is_of_the_one_minor_version_that_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    allowed = next(one for one in project["optional-dependencies"]["server"] if re.match(r"aiohttp[><]", one))
    major, minor = (int(part) for part in version("aiohttp").split(".")[:2])
    assert allowed.endswith(f"<{major}.{minor + 1}")


@pytest.mark.parametrize("method", SIGNATURES, ids=lambda method: method.__qualname__)
def test_methods_that_are_replaced_or_called_take_what_they_took(method: object) -> None:
    assert list(inspect.signature(method).parameters) == SIGNATURES[method]  # type: ignore[arg-type, index]


def test_a_request_has_a_place_for_its_route_and_a_connection_one_for_messages() -> None:
    request = make_mocked_request("GET", "/")
    assert isinstance(request._match_info, web.UrlMappingMatchInfo)
    assert set(web.RequestHandler.__slots__) >= PLACES
    assert set(BaseProtocol.__slots__) >= {
        "_paused",
        "_reading_paused",
        "_buffer_paused",
        "_parser",
        "_loop",
        "transport",
    }
    assert "_buffer" in StreamReader.__slots__


def test_what_aiohttp_does_between_two_requests_is_what_it_was() -> None:
    """``PromptConnection._answer`` does the same: look at it, and at the digest, when this fails."""
    done = "".join(map(inspect.getsource, (web.RequestHandler.start, web.RequestHandler._process_keepalive)))
    assert hashlib.sha256(done.encode()).hexdigest()[:16] == "29806ca470b1d480"


async def test_a_server_has_the_two_places_that_ours_go_into() -> None:
    runner = web.AppRunner(web.Application())
    await runner.setup()
    server = runner.server
    assert server is not None
    assert list(inspect.signature(server.request_factory).parameters)[:5] == [
        "message",
        "payload",
        "protocol",
        "writer",
        "task",
    ]
    assert callable(server.request_handler)
    await runner.cleanup()


def test_the_table_of_the_folder_names_each_of_its_modules() -> None:
    named = re.findall(r"^\| ``(\w+)`` ", aiohttp_inside.__doc__ or "", re.MULTILINE)
    assert named == sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def test_nothing_outside_the_folder_leans_on_the_inside_of_aiohttp() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in (ROOT / "dispatcher").rglob("*.py")
        if path.parent != FOLDER
        for line in path.read_text().splitlines()
        if INSIDE.search(line) and not any(name in line for name in ELSEWHERE)
    ]
    assert found == []
