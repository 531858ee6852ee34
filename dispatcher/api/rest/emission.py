"""From what a caller sends to an ``Event``: fields, link, revision, order form. Accepts nothing, writes nothing."""

from __future__ import annotations

from typing import Any

from dispatcher.api.http.validation import validated
from dispatcher.api.rest.models import EventIn
from dispatcher.api.services import Services
from dispatcher.catalogue.validation import schema_problems
from dispatcher.errors import Problem, Refused, Unprocessable
from dispatcher.ids import new_event_id
from dispatcher.model.access import Caller
from dispatcher.model.event import Event
from dispatcher.model.event_type import TYPE_RULES, EventType, emittable_names, parse_event_type
from dispatcher.model.integration import WORKING, Integration, Revision
from dispatcher.policy.payload_rules import validate_payload


async def event_from(body: Any, services: Services, caller: Caller) -> Event:
    """The event that ``body`` asks for. 422 with its fields, or 403 for another account than the caller's."""
    asked = validated(EventIn, body)
    kind = _type_of(asked.type)
    problems = validate_payload(kind, asked.payload)
    if problems:
        raise Unprocessable(problems)
    account_id = _account_of(asked.account_id, caller)
    integration, revision = await _destination(asked, services, caller)
    if revision.validate_payloads and (problems := schema_problems(kind, asked.payload)):
        raise Unprocessable(problems)
    if kind is EventType.SUBSCRIPTION_ORDER:
        _require_form_fields(revision, asked.payload or {})
    now_ms = int(services.clock() * 1000)
    return Event(
        id=new_event_id(now_ms, services.queue.partition_of(integration.id)),
        type=kind,
        integration_id=integration.id,
        revision=revision.number,
        product_id=asked.product_id,
        account_id=account_id,
        subscription_id=asked.subscription_id,
        flag=asked.flag,
        creator=asked.creator,
        payload=asked.payload,
    )


def _type_of(name: str) -> EventType:
    kind = parse_event_type(name)
    if kind is None or not TYPE_RULES[kind].emitted_by_callers:
        text = f"This type cannot be emitted; use one of {', '.join(emittable_names())}."
        raise Unprocessable.of("unknown_type", text, "type")
    return kind


def _account_of(asked: str | None, caller: Caller) -> str | None:
    """The account of the event; a caller that is restricted to one need not name it."""
    if caller.account_id is None or asked in (None, caller.account_id):
        return asked or caller.account_id
    raise Refused.of("account_restricted", "This client may emit for its own account only.", "accountId")


async def _destination(asked: EventIn, services: Services, caller: Caller) -> tuple[Integration, Revision]:
    """The integration that the product is linked to and the revision that decides: 0 for flag DEVELOPMENT."""
    cache = services.cache
    product = cache.peek_product(asked.product_id) or await cache.product(asked.product_id)
    linked = product.integration_id if product else None
    integration = (cache.peek_integration(linked) or await cache.integration(linked)) if linked else None
    if integration is None or (caller.vendor_id is not None and not caller.reaches(integration.vendor_id)):
        text = "The product is not linked to an integration; link it with linkProductIntegration first."
        raise Unprocessable.of("product_not_linked", text, "productId")
    number = WORKING if asked.flag else integration.published_revision
    revision = None
    if number is not None:
        revision = cache.peek_revision(integration.id, number) or await cache.revision(integration.id, number)
    if revision is None:
        text = "The product's integration is not published; publish it first, or emit with flag DEVELOPMENT."
        raise Unprocessable.of("not_published", text, "productId")
    return integration, revision


def _require_form_fields(revision: Revision, payload: dict[str, Any]) -> None:
    """422 for each field of the purchase form that is required and has no answer in ``payload.configuration``."""
    if not revision.order_require_form_fields:
        return
    answers = payload.get("configuration")
    given = answers if isinstance(answers, dict) else {}
    required = [field.name for field in revision.order_form_fields if field.required]
    missing = [name for name in required if given.get(name) in (None, "")]
    if missing:
        text = "The purchase form of this product requires an answer here."
        raise Unprocessable([Problem("missing_field", text, f"payload.configuration.{name}") for name in missing])
