"""Emit: from what a caller asks for to an ``Event``. Checks type, payload, link, revision and purchase form.

Accepts nothing and writes nothing: ``accept`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from dispatcher.catalogue.validation import schema_problems
from dispatcher.errors import Problem, Refused, Unprocessable
from dispatcher.ids import new_event_id
from dispatcher.model.access import Caller
from dispatcher.model.event import Event
from dispatcher.model.event_type import TYPE_RULES, EventType, emittable_names, parse_event_type
from dispatcher.model.integration import WORKING, Integration, Product, Revision
from dispatcher.policy.installing.purchase_forms import answer_problems
from dispatcher.policy.payload_rules import validate_payload
from dispatcher.store.definitions.cache.definitions import DefinitionCache

_NOT_LINKED = "The product is not linked to an integration: link it first (`dispatcher integrations link`)."
_CLAIMED = (
    "A vendor has claimed the product, and nobody else has said that it is that vendor's: link it once, with "
    "linkProductIntegration and a client of no vendor."
)


class Emission(NamedTuple):
    """An event as its emitter describes it. ``type`` is a full or a short name; ``flag`` is DEVELOPMENT or None.

    A tuple, as ``Event``: one is made for every event that is accepted.
    """

    type: str
    product_id: str
    account_id: str | None = None
    subscription_id: str | None = None
    flag: str | None = None
    creator: dict[str, Any] | None = None
    payload: dict[str, Any] | None = None


class Emitter:
    """One per process. ``partition_of``: of an integration's id; ``now_ms`` stamps the ids of events."""

    def __init__(self, cache: DefinitionCache, partition_of: Callable[[str], int], now_ms: Callable[[], int]) -> None:
        self._cache = cache
        self._partition_of = partition_of
        self._now_ms = now_ms

    async def products(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """Those that exist, for ``event``; all of them, and what is read with them, in three round trips at most."""
        found = (await self._cache.load(products=product_ids)).products
        lanes = {one.integration_id for one in found.values() if one.integration_id}
        integrations = (await self._cache.load(integrations=lanes)).integrations.values()
        numbers = [(one.id, one.published_revision) for one in integrations if one.published_revision is not None]
        await self._cache.load(revisions=numbers)
        return found

    async def event(self, asked: Emission, caller: Caller, known: Mapping[str, Product] | None = None) -> Event:
        """The event to accept. ``known``: what ``products`` found, of which this one was asked for; None = look it up.

        Raises ``Unprocessable`` with all that is wrong, once a field; ``Refused`` for another account's.
        """
        kind = _type_of(asked.type)
        problems = validate_payload(kind, asked.payload)
        account_id = _account_of(asked.account_id, caller)
        try:
            integration, revision = await self._destination(asked, caller, known)
        except Unprocessable as nowhere:
            raise Unprocessable([*nowhere.problems, *problems]) from None
        problems += _problems_at(kind, revision, asked.payload)
        if problems:
            raise Unprocessable(_one_a_field(problems))
        working_ms = await self._cache.pin_working(integration) if revision.number == WORKING else None
        return Event(
            id=new_event_id(self._now_ms(), self._partition_of(integration.id)),
            type=kind,
            integration_id=integration.id,
            revision=revision.number,
            product_id=asked.product_id,
            account_id=account_id,
            subscription_id=asked.subscription_id,
            flag=asked.flag,
            creator=asked.creator,
            payload=asked.payload,
            client_id=caller.client_id,
            working_ms=working_ms,
        )

    async def _destination(
        self, asked: Emission, caller: Caller, known: Mapping[str, Product] | None
    ) -> tuple[Integration, Revision]:
        """The integration that the product is linked to and the revision that decides: 0 for flag DEVELOPMENT."""
        cache = self._cache
        product = cache.peek_product(asked.product_id) if known is None else known.get(asked.product_id)
        if product is None and known is None:
            product = await cache.product(asked.product_id)
        linked = product.linked_for(caller.vendor_id) if product else None
        integration = (cache.peek_integration(linked) or await cache.integration(linked)) if linked else None
        if integration is None or (caller.vendor_id is not None and not caller.reaches(integration.vendor_id)):
            claimed = product is not None and product.claimed and caller.vendor_id is None
            raise Unprocessable.of("product_not_linked", _CLAIMED if claimed else _NOT_LINKED, "productId")
        number = WORKING if asked.flag else integration.published_revision
        revision = None
        if number is not None:
            revision = cache.peek_revision(integration.id, number) or await cache.revision(integration.id, number)
        if revision is None:
            text = "The product's integration is not published; publish it first, or emit with flag DEVELOPMENT."
            raise Unprocessable.of("not_published", text, "productId")
        return integration, revision


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


def _one_a_field(problems: Iterable[Problem]) -> list[Problem]:
    kept: dict[str, Problem] = {}
    for one in problems:
        kept.setdefault(one.field or one.message, one)
    return [*kept.values()]


def _problems_at(kind: EventType, revision: Revision, payload: dict[str, Any] | None) -> list[Problem]:
    """Problems of a payload with that integration: with its schema, where it asks for that, and its purchase form."""
    found = schema_problems(kind, payload) if revision.validate_payloads else []
    answers = (payload or {}).get("configuration") or {}
    if kind is not EventType.SUBSCRIPTION_ORDER or not isinstance(answers, dict):
        return found
    required = revision.order_require_form_fields
    form = answer_problems(revision.order_form_fields, answers, required=required, prefix="payload.configuration")
    return [*found, *form]
