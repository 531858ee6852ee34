"""Weight of the command's start, as a program of its own."""

from __future__ import annotations

import os
import sys

import pytest

from tests.programs import completed

UNUSED = frozenset({"jwt", "rich", "pygments"})
"""Loaded by libraries that do without."""


def said(code: str) -> list[str]:
    """Words that a program of its own prints."""
    done = completed([sys.executable, "-c", code])
    assert done.status == 0, done.err
    return done.out.split()


def loaded_by(code: str) -> set[str]:
    return set(said(f"import sys; {code}; print(*sys.modules)"))


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("from dispatcher.cli.main import build; build(['--help'])")
    assert not {"aiohttp", "redis", "pydantic", "strawberry", "arq", "authlib"} & loaded


@pytest.mark.parametrize("verb", ["operating.status", "events.listing"])
def test_a_verb_that_asks_the_api_loads_neither_store_nor_log(verb: str) -> None:
    loaded = loaded_by(f"import dispatcher.cli.{verb}")
    assert not {"redis", "structlog", "jwt", "dispatcher.catalogue.samples"} & loaded
    assert "dispatcher.client" in loaded


def test_the_api_loads_no_graphql_before_it_is_asked_for() -> None:
    loaded = loaded_by("import dispatcher.cli.processes.serve, dispatcher.cli.processes.listening")
    assert not ({"graphql", "strawberry"} | UNUSED) & loaded
    assert "dispatcher.api.graphql.routes" in loaded


def test_a_worker_loads_nothing_that_it_does_not_use() -> None:
    loaded = loaded_by("import dispatcher.cli.processes.worker, worker.main")
    assert not ({"prometheus_client", "aiohttp.web"} | UNUSED) & loaded
    assert {"arq", "redis.auth.token"} <= loaded


def test_what_redis_was_kept_from_is_there_for_whoever_uses_it() -> None:
    first = "import dispatcher.cli.processes, redis.auth.token as token"
    assert said(f"{first}; print(token.jwt.decode.__name__); import jwt; print(jwt.decode == token.jwt.decode)") == [
        "decode",
        "True",
    ]


@pytest.mark.parametrize("given", [{}, {"SSL_CERT_FILE": "/given.pem"}], ids=["unset", "set"])
def test_only_contexts_of_the_http_library_miss_the_certificates_of_the_system(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dispatcher.cli.processes.lean_imports import import_server

    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    before = os.environ.copy()
    import_server("worker.main")
    assert os.environ == before
