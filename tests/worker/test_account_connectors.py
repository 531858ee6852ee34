"""Delivery to accounts that have a connector: what authorizes, where it goes, and what never goes along."""

from __future__ import annotations

import base64
from dataclasses import replace

from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.integration import Header, Integration
from dispatcher.store.secrets import fields as sealed_fields
from tests.hosts import ProductHost, Reply
from tests.waiting import until
from tests.worker.connector_parts import BASIC, HostApplication, app, authorization, second_host

__all__ = ["app", "second_host"]


def origin_of(host: ProductHost) -> str:
    return host.url("")


async def test_c11_x2_basic_beats_the_integrations_own_credentials(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A", AuthValue=BASIC)
    request = await app.notified(integration)
    assert authorization(request) == {"Authorization": f"Basic {BASIC}"}
    assert request.headers["webhook-signature"].startswith("v1,")
    assert app.shop.host.tokens.requests == []


async def test_c12_an_api_key_goes_into_its_own_header(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A", AuthValue="plain-key")
    assert authorization(await app.notified(integration)) == {"X-Api-Key": "plain-key"}


async def test_c13_an_oauth_token_is_a_bearer(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A", AuthValue="token.of-the-account", AuthType="OAuth")
    assert authorization(await app.notified(integration)) == {"Authorization": "Bearer token.of-the-account"}


async def test_d6_x2_without_a_value_the_integrations_credentials_authorize(app: HostApplication) -> None:
    integration = await app.shop.integration(oauth2=True)
    await app.sells(integration)
    await app.connects("A")
    assert authorization(await app.notified(integration))["Authorization"].startswith("Bearer ")
    await app.connects("B", AuthValue=BASIC)
    assert authorization(await app.notified(integration, "C"))["Authorization"].startswith("Bearer ")


async def test_d11_a_changed_value_is_used_by_the_next_delivery(app: HostApplication) -> None:
    integration = await app.shop.integration()
    await app.sells(integration)
    connector = await app.connects("A")
    assert authorization(await app.notified(integration)) == {}
    for value in (BASIC, "plain-key"):
        await app.change("A", connector, AuthValue=value)

        async def arrives_with(value: str = value) -> bool:
            return value in str(authorization(await app.notified(integration)))

        await until(arrives_with)


async def test_a_label_that_names_nothing_is_never_sent(app: HostApplication) -> None:
    integration = await app.shop.integration()
    await app.sells(integration)
    await app.connects("A", Name="Another", AuthValue=BASIC)
    assert authorization(await app.notified(integration)) == {}


async def test_c14_x3_url_moves_scheme_host_and_port_and_keeps_the_path(
    app: HostApplication, second_host: ProductHost
) -> None:
    integration = await app.shop.integration({"upgradeUrl": app.shop.host.url("/hooks/x") + "?a=1"})
    await app.sells(integration)
    await app.connects("A", AuthValue=BASIC, Properties=[{"Name": "Url", "Value": origin_of(second_host)}])
    await app.shop.ended(await app.shop.emit(integration, "A"))
    (request,) = second_host.requests
    assert (request.path, authorization(request)) == ("/hooks/x?a=1", {"Authorization": f"Basic {BASIC}"})
    assert app.shop.host.requests == []
    assert authorization(await app.notified(integration, "B")) == {}


async def test_c14_variables_are_filled_and_encoded(app: HostApplication) -> None:
    integration = await app.shop.integration({"upgradeUrl": app.shop.host.url("/{Region}/{Plan}") + "?r={Region}"})
    await app.sells(integration)
    properties = [{"Name": "Region", "Value": "eu/../admin"}, {"Name": "Plan", "Value": "a b?x=1#f"}]
    await app.connects("A", Properties=properties)
    request = await app.notified(integration)
    path, _, query = request.path.partition("?")
    assert path == "/eu%2F..%2Fadmin/a%20b%3Fx%3D1%23f"
    assert query == "r=eu%2F..%2Fadmin"


async def test_c14_a_variable_without_a_value_sends_nothing(app: HostApplication) -> None:
    integration = await app.shop.integration({"upgradeUrl": app.shop.host.url("/{Region}")}, schedule_s=(0.05,))
    await app.sells(integration)
    await app.connects("A", Properties=[{"Name": "Other", "Value": "x"}])
    ended = await app.refused(integration)
    assert "Region" in str(ended.state.error_message)
    await app.refused(integration, "without-a-connector")


async def test_nothing_of_the_publishers_goes_to_a_host_that_the_account_named(
    app: HostApplication, second_host: ProductHost
) -> None:
    integration = await app.shop.integration(oauth2=True)
    hidden = app.shop.sealer.seal("hidden", sealed_fields.header_value(integration.id, "X-Secret"))
    headers = (Header("X-Secret", hidden, secret=True), Header("X-Tenant", "acme"))

    def with_headers(current: Integration) -> Integration:
        return replace(current, working=replace(current.working, headers=headers))

    await app.shop.definitions.edit(integration.id, with_headers)
    integration = await publish(app.shop.definitions, integration.id, "test", 4)
    await app.sells(integration)
    await app.connects("A", Properties=[{"Name": "Url", "Value": origin_of(second_host)}])
    await app.shop.ended(await app.shop.emit(integration, "A", revision=2))
    (request,) = second_host.requests
    assert authorization(request) == {}
    assert "X-Secret" not in request.headers
    assert request.headers["X-Tenant"] == "acme"
    assert app.shop.host.tokens.requests == []


async def test_an_old_value_does_not_follow_a_revision_to_another_origin(
    app: HostApplication, second_host: ProductHost
) -> None:
    integration = await app.shop.integration(schedule_s=(0.05,))
    await app.sells(integration)
    connector = await app.connects("A", AuthValue=BASIC)
    assert authorization(await app.notified(integration)) == {"Authorization": f"Basic {BASIC}"}

    def moved(current: Integration) -> Integration:
        urls = {"upgradeUrl": second_host.url()}
        return replace(current, working=replace(current.working, urls=urls))

    await app.shop.definitions.edit(integration.id, moved)
    integration = await publish(app.shop.definitions, integration.id, "test", 4)
    ended = await app.refused(integration, revision=2)
    assert "another origin" in str(ended.state.error_message)
    assert second_host.requests == []
    await app.change("A", connector, AuthValue=BASIC)

    async def arrives() -> bool:
        await app.shop.ended(await app.shop.emit(integration, "A", revision=2))
        return len(second_host.requests) > 0

    await until(arrives)


async def test_a_host_that_repeats_the_value_does_not_bring_it_into_the_store(app: HostApplication) -> None:
    integration = await app.shop.integration()
    await app.sells(integration)
    await app.connects("A", AuthValue="key-that-is-repeated-4711")
    app.shop.host.replies.append(Reply.of(200, {"success": False, "message": "bad key-that-is-repeated-4711"}))
    event_id = await app.shop.emit(integration, "A")
    await app.shop.ended(event_id)
    (attempt,) = await app.shop.attempts([event_id])
    assert "key-that" not in f"{attempt.response_body} {attempt.error_detail}"


def test_the_basic_value_of_the_document_is_a_pair() -> None:
    assert base64.b64decode(BASIC) == b"username:password"
