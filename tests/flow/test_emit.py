"""From an emission to an event: what is checked, in which order, and by whose rights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.errors import Refused, RequestError, Unprocessable
from dispatcher.flow.events.making.emit import Emission, Emitter
from dispatcher.flow.integrations.products.link import link
from dispatcher.model.access import Caller
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import WORKING
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from tests.flow.definition_desk import NOW_MS, URL, Desk, desk_on, told

SHOP = Caller("shop", frozenset())
ORDER = Emission("create", "P-1", account_id="A-1", payload={"configuration": {"size": "XL"}})


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return desk_on(redis)


async def linked(desk: Desk, redis: Redis, **fields: object) -> Emitter:
    """An emitter, and a published integration with ``fields`` that P-1 is linked to."""
    made = await desk.published({"createUrl": URL} | fields)
    await link(desk.definitions, "P-1", made.id, NOW_MS)
    return Emitter(DefinitionCache(desk.definitions, redis), lambda _: 3, lambda: NOW_MS)


async def refused(emitter: Emitter, asked: Emission, caller: Caller = SHOP) -> RequestError:
    with pytest.raises(RequestError) as error:
        await emitter.event(asked, caller)
    return error.value


async def test_an_event_has_the_published_revision_and_an_id_that_names_its_partition(desk: Desk, redis: Redis) -> None:
    event = await (await linked(desk, redis)).event(ORDER, SHOP)
    assert (event.type, event.product_id, event.account_id) == (EventType.SUBSCRIPTION_ORDER, "P-1", "A-1")
    assert (event.revision, event.payload) == (1, ORDER.payload)
    assert event.id.endswith("003")


async def test_a_development_event_goes_by_the_working_version(desk: Desk, redis: Redis) -> None:
    emitter = await linked(desk, redis)
    assert (await emitter.event(ORDER._replace(flag="DEVELOPMENT"), SHOP)).revision == WORKING


@pytest.mark.parametrize("kind", ["nonsense", "SUBSCRIPTION_STATUS", "OPERATIONAL"])
async def test_a_type_that_callers_do_not_emit_is_refused(desk: Desk, redis: Redis, kind: str) -> None:
    assert told(await refused(await linked(desk, redis), ORDER._replace(type=kind))) == [("unknown_type", "type")]


async def test_a_client_of_one_account_need_not_name_it_and_may_name_no_other(desk: Desk, redis: Redis) -> None:
    emitter, bound = await linked(desk, redis), replace(SHOP, account_id="A-1")
    assert (await emitter.event(ORDER._replace(account_id=None), bound)).account_id == "A-1"
    error = await refused(emitter, ORDER._replace(account_id="A-2"), bound)
    assert isinstance(error, Refused)
    assert told(error) == [("account_restricted", "accountId")]


async def test_a_product_that_is_not_linked_or_another_vendors_is_refused_alike(desk: Desk, redis: Redis) -> None:
    emitter = await linked(desk, redis, vendorId="V-1")
    assert (await emitter.event(ORDER, replace(SHOP, vendor_id="V-1"))).product_id == "P-1"
    for asked, caller in ((ORDER._replace(product_id="P-2"), SHOP), (ORDER, replace(SHOP, vendor_id="V-2"))):
        assert told(await refused(emitter, asked, caller)) == [("product_not_linked", "productId")]


async def test_required_answers_of_the_purchase_form_are_named_when_they_are_missing(desk: Desk, redis: Redis) -> None:
    form = [{"name": "size", "required": True}, {"name": "note"}]
    emitter = await linked(desk, redis, orderRequireFormFields=True, orderFormFields=form)
    assert await emitter.event(ORDER, SHOP)
    error = await refused(emitter, ORDER._replace(payload={"configuration": {"size": ""}}))
    assert isinstance(error, Unprocessable)
    assert told(error) == [("missing_field", "payload.configuration.size")]


@pytest.mark.parametrize("required", [True, False])
async def test_answers_that_do_not_fit_the_purchase_form_are_all_named(
    desk: Desk, redis: Redis, required: bool
) -> None:
    form = [
        {"name": "seats", "type": "NUMBER"},
        {"name": "mail", "type": "EMAIL", "required": True},
        {"name": "since", "type": "DATE"},
        {"name": "domain", "required": True},
    ]
    emitter = await linked(desk, redis, orderRequireFormFields=required, orderFormFields=form)
    wrong = {"seats": "many", "mail": "sam", "since": "2026-02-30", "other": ["travels", "as it is"]}
    error = await refused(emitter, ORDER._replace(payload={"configuration": wrong}))
    assert isinstance(error, Unprocessable)
    typed = [("invalid_value", f"payload.configuration.{name}") for name in ("seats", "mail", "since")]
    missing = [("missing_field", "payload.configuration.domain")]
    assert told(error) == typed + (missing if required else [])
    right = {"seats": 12, "mail": "sam@customer.example", "since": "2026-02-28", "domain": "customer.example"}
    assert await emitter.event(ORDER._replace(payload={"configuration": right}), SHOP)


async def test_required_answers_may_be_missing_where_the_form_need_not_be_filled_in(desk: Desk, redis: Redis) -> None:
    emitter = await linked(desk, redis, orderFormFields=[{"name": "mail", "type": "EMAIL", "required": True}])
    unanswered: list[dict[str, Any]] = [{}, {"configuration": {"mail": ""}}, {"configuration": {}}]
    for payload in unanswered:
        assert await emitter.event(ORDER._replace(payload=payload), SHOP)


async def test_what_the_payload_the_schema_and_the_form_find_wrong_is_one_answer(desk: Desk, redis: Redis) -> None:
    emitter = await linked(
        desk, redis, validatePayloads=True, orderFormFields=[{"name": "mail", "type": "EMAIL", "required": True}]
    )
    payload = {
        "account": {"status": "LOST"},
        "company": {"uuid": 7},
        "configuration": {"mail": "sam"},
        "order": {"pricingDuration": "SOMETIMES"},
    }
    error = await refused(emitter, ORDER._replace(payload=payload))
    fields = [field for _, field in told(error)]
    assert {"payload.account.status", "payload.company.uuid", "payload.configuration.mail"} <= set(fields)
    assert "payload.order.pricingDuration" in fields
    assert len(fields) == len(set(fields))
    nowhere = await refused(emitter, ORDER._replace(product_id="P-2", payload=payload))
    assert {"productId", "payload.account.status"} <= {field for _, field in told(nowhere)}


@pytest.mark.parametrize("name", ["subscription_order", "Subscription_Order", "CREATE", "create"])
async def test_a_type_is_named_in_any_case(desk: Desk, redis: Redis, name: str) -> None:
    assert (await (await linked(desk, redis)).event(ORDER._replace(type=name), SHOP)).type == "SUBSCRIPTION_ORDER"
