"""Credentials that are only tried out: a worker gets one token, nothing is saved, no secret is readable in Redis."""

from __future__ import annotations

import pytest

from dispatcher.errors import NotFound, Unprocessable
from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.integrations.fields.kind import MASK, Document
from dispatcher.flow.pings.credentials import try_credentials
from dispatcher.model.ping import CredentialsTried
from dispatcher.policy.addresses.urls import check_url
from dispatcher.store.definitions.pings.starter import open_jobs
from dispatcher.store.definitions.pings.trials import Trial, Trials
from dispatcher.store.secrets.sealing import Sealer, new_key
from tests.hosts import Reply
from tests.worker.conftest import Shop

SECRET = "tried-S3cre1!-out"


def wanted(shop: Shop, token_uri: str | None = None) -> Document:
    return {
        "type": "OAUTH2",
        "clientId": "123456",
        "clientSecret": SECRET,
        "tokenUri": token_uri or shop.host.token_url,
    }


async def tried(shop: Shop, credentials: Document, any_id: str | None = None) -> CredentialsTried:
    networks = shop.settings.allow_networks
    editor = Editor(
        shop.sealer, lambda url, field: check_url(url, require_https=False, allow_networks=networks, field=field)
    )
    trials = Trials(shop.redis, open_jobs(shop.redis, None))
    return await try_credentials(shop.definitions, editor, trials, any_id, {"outboundCredentials": credentials})


async def test_good_credentials_get_a_token_and_nothing_is_saved(shop: Shop) -> None:
    await shop.work()
    outcome = await tried(shop, wanted(shop))
    assert (outcome.success, outcome.error_code) == (True, None)
    assert "3600 s" in (outcome.message or "")
    assert len(shop.host.tokens.requests) == 1
    assert not await shop.redis.keys("*trial*")
    assert not await shop.redis.keys("token*")
    assert (await shop.definitions.integrations()).items == []


async def test_refusal_of_the_token_endpoint_is_told_without_the_secret(shop: Shop) -> None:
    await shop.work()
    shop.host.tokens.replies.append(Reply.of(401, {"error": "invalid_client", "error_description": f"not {SECRET}"}))
    outcome = await tried(shop, wanted(shop))
    assert (outcome.success, outcome.error_code) == (False, "UNAUTHORIZED")
    assert "invalid_client" in (outcome.message or "")
    assert SECRET not in str(outcome)


async def test_saved_secret_is_used_for_what_is_left_out(shop: Shop) -> None:
    await shop.work()
    integration = await shop.integration(oauth2=True)
    changes = {"scope": "events", "clientSecret": MASK}
    assert (await tried(shop, changes, str(integration.app_market_id))).success
    (request,) = shop.host.tokens.requests
    assert request.headers["Authorization"] == "Basic MTIzNDU2OlMzY3JlMSE="
    assert b"scope=events" in request.body
    assert await shop.definitions.integration(integration.id) == integration


async def test_what_cannot_be_saved_is_not_tried(shop: Shop) -> None:
    with pytest.raises(Unprocessable):
        await tried(shop, wanted(shop, token_uri="http://10.0.0.1/"))
    with pytest.raises(NotFound):
        await tried(shop, wanted(shop), "nobody")


async def test_basic_credentials_have_no_token_to_get(shop: Shop) -> None:
    outcome = await tried(shop, {"type": "BASIC", "clientId": "a", "clientSecret": "b"})
    assert outcome.success
    assert "ping" in (outcome.message or "")


async def test_without_a_worker_the_answer_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.flow.pings.credentials.WAIT_S", 0.2)
    outcome = await tried(shop, wanted(shop))
    assert (outcome.success, outcome.error_code) == (False, "TRANSPORT_ERROR")
    assert "dispatcher worker" in (outcome.message or "")
    assert SECRET not in str([await shop.redis.dump(key) for key in await shop.redis.keys("*trial*")])


async def test_worker_with_other_keys_says_so(shop: Shop) -> None:
    await shop.work()
    stranger = Sealer([new_key()])
    shop.sealer = stranger
    outcome = await tried(shop, wanted(shop))
    assert (outcome.success, outcome.error_code) == (False, "CONFIGURATION_ERROR")
    assert "DISPATCHER_SECRET_KEYS" in (outcome.message or "")


async def test_trial_is_taken_once(shop: Shop) -> None:
    trials = Trials(shop.redis, open_jobs(shop.redis, None))
    assert await trials.ask(Trial("I", (await shop.integration()).working.credentials), 0.0) is None
    (name,) = await shop.redis.keys("*trial*")
    trial_id = name.decode().rpartition(":")[2]
    assert await trials.take(trial_id) is not None
    assert await trials.take(trial_id) is None
