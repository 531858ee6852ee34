"""`dispatcher clients` on a real store."""

from __future__ import annotations

import pytest

from dispatcher.clock import iso_ms
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]


def test_client_is_created_listed_and_disabled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], redis_url: str
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    made = dispatcher(
        capsys, "clients", "create", "--scope", "events:write", "--scope", "events:read", "--account", "A"
    ).json()
    assert sorted(made) == ["clientId", "clientSecret"]
    (listed,) = dispatcher(capsys, "clients", "list", "--json").json()
    assert listed["clientId"] == made["clientId"]
    assert (listed["scopes"], listed["accountId"], listed["disabled"]) == (["events:read", "events:write"], "A", False)
    assert isinstance(listed["createdOn"], int)
    table = dispatcher(capsys, "clients", "list").out
    assert made["clientSecret"] not in table
    assert iso_ms(listed["createdOn"])[:10] in table
    assert dispatcher(capsys, "clients", "disable", made["clientId"]).status == 0
    assert dispatcher(capsys, "clients", "list", "--json").json()[0]["disabled"] is True
    assert dispatcher(capsys, "clients", "disable", "nobody").status == 1
