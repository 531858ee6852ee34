"""A worker sends no secret anywhere but where it was saved for, whatever a stored version says."""

from __future__ import annotations

from dispatcher.model.attempt import Outcome
from dispatcher.model.ping import PingStatus
from dispatcher.model.status import Status
from tests.worker.conftest import Shop
from tests.worker.test_ping import Pings

PLACES = {"outboundCredentials.clientSecret": ("the token endpoint https://login.example.com",)}


async def test_a_delivery_with_a_secret_of_another_place_sends_nothing(shop: Shop) -> None:
    integration = await shop.integration(oauth2=True, schedule_s=(60.0,), places=PLACES)
    event_id = await shop.emit(integration)
    await shop.work()
    stored = await shop.status(event_id, Status.RETRYING)
    assert stored.state.error_code == "CONFIGURATION_ERROR"
    assert "outboundCredentials.clientSecret" in (stored.state.error_message or "")
    (attempt,) = await shop.attempts([event_id])
    assert attempt.outcome is Outcome.CONFIGURATION_ERROR
    assert shop.host.requests == []
    assert shop.host.tokens.requests == []
    await shop.assert_well()


async def test_a_ping_with_a_secret_of_another_place_sends_nothing(shop: Shop) -> None:
    integration = await shop.integration(oauth2=True, places=PLACES)
    await shop.work()
    test = await Pings(shop).run(integration)
    assert test.status is PingStatus.FAILED
    assert "outboundCredentials.clientSecret" in str(test.results)
    assert shop.host.requests == []
    assert shop.host.tokens.requests == []


async def test_secrets_that_were_saved_before_places_were_kept_go_where_they_went(shop: Shop) -> None:
    event_id = await shop.emit(await shop.integration(oauth2=True))
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
