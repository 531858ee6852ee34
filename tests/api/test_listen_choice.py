"""`dispatcher listen --to URL` alone: the only integration that there is, or an error that names those there are."""

from __future__ import annotations

import pytest

from dispatcher.cli.listen.verb import MOST_NAMED, _only_one
from dispatcher.client import Client
from dispatcher.errors import ConfigurationError
from dispatcher.model.integration import Revision
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, publish


async def test_one_integration_is_taken_and_several_are_named(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    async with Client(str(api.http.make_url("")), ADMIN_ID, ADMIN_SECRET) as client:
        (only,) = [one async for one in client.definitions.all()]
        assert await _only_one(client) == only["id"]
        assert f"listening to {only['name']}" in capsys.readouterr().err
        for _ in range(MOST_NAMED):
            await publish(api.services, Revision())
        with pytest.raises(ConfigurationError, match=r"give --integration.* test, .* and 1 more"):
            await _only_one(client)


async def test_without_any_a_product_is_asked_for(api: Api) -> None:
    stranger, secret = await api.services.clients.create(
        frozenset({"integrations:read"}), "other", None, 0, vendor_id="V-9"
    )
    async with Client(str(api.http.make_url("")), stranger.client_id, secret) as client:
        with pytest.raises(ConfigurationError, match="give --product"):
            await _only_one(client)
