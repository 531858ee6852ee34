"""Emit: from what a caller asks for to an ``Event``. Checks type, payload, link, revision and purchase form.

Accepts nothing and writes nothing: ``accept`` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from dispatcher.catalogue.validation import schema_problems
from dispatcher.errors import Problem, Refused, RequestError, Unprocessable
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

    async def events(self, asked: Sequence[Emission], caller: Caller) -> list[Event | RequestError]:
        """As ``event`` of each, or what it raises. What is not at hand is looked up for all, in three round trips."""
        at_hand = [self._at_hand(one, caller) for one in asked]
        named = {one.product_id for one, event in zip(asked, at_hand, strict=True) if event is None}
        known = await self._products(named) if named else {}
        pairs = zip(asked, at_hand, strict=True)
        return [await self._looked_up(one, caller, known) if event is None else event for one, event in pairs]

    def _at_hand(self, asked: Emission, caller: Caller) -> Event | None:
        try:
            return self.event_at_once(asked, caller)
        except RequestError:
            return None

    async def _looked_up(self, asked: Emission, caller: Caller, known: Mapping[str, Product]) -> Event | RequestError:
        try:
            return await self.event(asked, caller, known)
        except RequestError as error:
            return error

    async def _products(self, product_ids: Iterable[str]) -> Mapping[str, Product]:
        """Those that exist, for ``event``; all of them, and what is read with them, in three round trips at most."""
        found = (await self._cache.load(products=product_ids)).products
        lanes = {one.integration_id for one in found.values() if one.integration_id}
        integrations = (await self._cache.load(integrations=lanes)).integrations.values()
        numbers = [(one.id, one.published_revision) for one in integrations if one.published_revision is not None]
        await self._cache.load(revisions=numbers)
        return found

    async def event(self, asked: Emission, caller: Caller, known: Mapping[str, Product] | None = None) -> Event:
        """The event to accept. ``known``: products that were looked up, this one among them; None = look it up.

        Raises ``Unprocessable`` with all that is wrong, once a field; ``Refused`` for another account's.
        """
        draft = _draft(asked, caller)
        try:
            integration, revision = await self._destination(asked, caller, known)
        except Unprocessable as nowhere:
            raise Unprocessable([*nowhere.problems, *draft.problems]) from None
        event = self._event(asked, caller, draft, integration, revision)
        if revision.number == WORKING:
            return event._replace(working_ms=await self._cache.pin_working(integration))
        return event

    def event_at_once(self, asked: Emission, caller: Caller) -> Event | None:
        """As ``event``; None where something has to be looked up or written first. What it raises, ``event`` raises."""
        draft, cache = _draft(asked, caller), self._cache
        product = cache.peek_product(asked.product_id)
        linked = product.linked_for(caller.vendor_id) if product else None
        integration = cache.peek_integration(linked) if linked else None
        if integration is None or asked.flag:
            return None
        revision = cache.peek_revision(integration.id, _number(integration, product, asked, caller))
        return self._event(asked, caller, draft, integration, revision) if revision else None

    def _event(
        self, asked: Emission, caller: Caller, draft: _Draft, integration: Integration, revision: Revision
    ) -> Event:
        """Raises ``Unprocessable`` with all that is wrong."""
        problems = draft.problems + _problems_at(draft.kind, revision, asked.payload)
        if problems:
            raise Unprocessable(_one_a_field(problems))
        return Event(
            id=new_event_id(self._now_ms(), self._partition_of(integration.id)),
            type=draft.kind,
            integration_id=integration.id,
            revision=revision.number,
            product_id=asked.product_id,
            account_id=draft.account_id,
            subscription_id=asked.subscription_id,
            flag=asked.flag,
            creator=asked.creator,
            payload=asked.payload,
            client_id=caller.client_id,
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
        if integration is None:
            raise _not_linked(product, caller)
        number = _number(integration, product, asked, caller)
        revision = cache.peek_revision(integration.id, number) or await cache.revision(integration.id, number)
        if revision is None:
            raise _not_published()
        return integration, revision


class _Draft(NamedTuple):
    """An event of which only its destination is not known; ``problems`` of its payload are told with those of that."""

    kind: EventType
    account_id: str | None
    problems: list[Problem]


def _draft(asked: Emission, caller: Caller) -> _Draft:
    kind = _type_of(asked.type)
    problems = validate_payload(kind, asked.payload)
    return _Draft(kind, _account_of(asked.account_id, caller), problems)


def _number(integration: Integration, product: Product | None, asked: Emission, caller: Caller) -> int:
    """The revision that decides. Raises ``Unprocessable`` where the caller does not reach it, or there is none."""
    if caller.vendor_id is not None and not caller.reaches(integration.vendor_id):
        raise _not_linked(product, caller)
    number = WORKING if asked.flag else integration.published_revision
    if number is None:
        raise _not_published()
    return number


def _not_linked(product: Product | None, caller: Caller) -> Unprocessable:
    claimed = product is not None and product.claimed and caller.vendor_id is None
    return Unprocessable.of("product_not_linked", _CLAIMED if claimed else _NOT_LINKED, "productId")


def _not_published() -> Unprocessable:
    text = "The product's integration is not published; publish it first, or emit with flag DEVELOPMENT."
    return Unprocessable.of("not_published", text, "productId")


def _type_of(name: str) -> EventType:
    kind = parse_event_type(name)
    if kind is None or not TYPE_RULES[kind].emitted_by_callers:
        text = f"This type cannot be emitted; use one of {', '.join(emittable_names())}."
        raise Unprocessable.of("unknown_type", text, "type")
    return kind


def _account_of(asked: str | None, caller: Caller) -> str | None:
    """The account of the event; a caller that is bound to one need not name it."""
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
