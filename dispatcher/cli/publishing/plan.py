"""The steps from what there is to what a file declares. Changes nothing itself: each step says how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dispatcher.cli.publishing.declared_file import Declared, fill_secrets, secrets_of_template
from dispatcher.client import Client
from dispatcher.errors import ConfigurationError
from dispatcher.flow.publishing.declared import Difference, completed, differences, secrets_in

Act = Callable[[Client], Awaitable[Any]]

UNCHANGED = object()
"""Result of a step that was none: every secret given is the one that is stored."""
OF_INTEGRATIONS = ("connectorId", "published", "products")
"""Declared beside an integration's own fields."""


@dataclass(frozen=True, slots=True)
class Step:
    """``sign``: + makes, ~ changes, - removes, > publishes or links."""

    sign: str
    title: str
    act: Act
    changes: list[Difference] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Present:
    """Everything there is. ``published``: the published version by id, of those that have one."""

    integrations: list[dict[str, Any]]
    published: Mapping[str, dict[str, Any]]
    products: Mapping[str, dict[str, Any]]
    marketplaces: list[dict[str, Any]]
    templates: list[dict[str, Any]]


def planned(declared: Declared, present: Present, *, prune: bool) -> list[Step]:
    """In an order in which each step finds what it needs. Raises ConfigurationError for what cannot be told apart."""
    steps = [
        *_integrations(declared["integrations"], present),
        *_products(declared["products"], present),
        *_keyed("marketplace", "marketplaces", declared["marketplaces"], present.marketplaces, ("id",)),
        *_keyed(
            "connector template",
            "connector_templates",
            declared["connectorTemplates"],
            present.templates,
            ("name", "version"),
        ),
    ]
    return [*steps, *_pruned(declared, present)] if prune else steps


def matched(
    entries: list[dict[str, Any]], present: Iterable[dict[str, Any]]
) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each entry with the integration that it is about: by its connectorId, else by a name that nothing else has."""
    known, names = list(present), [entry.get("name") for entry in entries]
    pairs = []
    for entry in entries:
        if not isinstance(entry.get("name"), str):
            raise ConfigurationError(f"every integration has a name: {entry.get('name')!r} is none")
        pairs.append((entry, _found(entry, known, alone=names.count(entry["name"]) == 1)))
    ids = [now["id"] for _, now in pairs if now]
    twice = next((entry["name"] for entry, now in pairs if now and ids.count(now["id"]) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"two entries are about the same integration: one of them is {twice!r}")
    return pairs


def _found(entry: Mapping[str, Any], known: list[dict[str, Any]], *, alone: bool) -> dict[str, Any] | None:
    name, connector_id = entry["name"], entry.get("connectorId")
    by_id = next((one for one in known if one["connectorId"] == connector_id), None)
    if by_id is not None:
        return by_id
    if not alone:
        text = f"several entries are named {name!r}: each needs the connectorId of an integration that there is"
        raise ConfigurationError(f"{text}, and {connector_id or 'none'} is no such; give others names of their own")
    same = [one for one in known if one["name"] == name]
    if len(same) > 1:
        raise ConfigurationError(f"{len(same)} integrations are named {name!r}: give the connectorId of the one meant")
    return same[0] if same else None


def title_of(name: str, connector_id: object, names: Iterable[object]) -> str:
    """The name, with the connectorId where others have the same."""
    return f"{name} {connector_id}" if list(names).count(name) > 1 else name


def _integrations(entries: list[dict[str, Any]], present: Present) -> Iterator[Step]:
    names = [entry.get("name") for entry in entries]
    for entry, now in matched(entries, present.integrations):
        yield from _integration(entry, now, title_of(entry["name"], entry.get("connectorId"), names), present)


def _integration(entry: dict[str, Any], now: dict[str, Any] | None, name: str, present: Present) -> Iterator[Step]:
    title = f"integration {name}"
    document = {key: value for key, value in entry.items() if key not in OF_INTEGRATIONS}
    fill_secrets(name, secrets_in(document), known=now is not None)
    wanted = completed(document)
    unknown = sorted(document.keys() - wanted.keys())
    if unknown:
        raise ConfigurationError(f"{title}: there is no field {unknown[0]!r}")
    changes = differences(wanted, now or completed({}))
    place = _Place(now["id"] if now else None, now["lastModified"] if now else None)
    if now is None:
        yield Step("+", title, place.create(document), changes)
    elif changes:
        fields = {one.path.partition(".")[0] for one in changes}
        yield Step("~", title, place.change({name: wanted[name] for name in fields}), changes)
    if entry.get("published", False):
        live = present.published.get(now["id"]) if now else None
        if live is None or any(not one.secret for one in (*changes, *differences(wanted, live))):
            yield Step(">", f"publish {title}", place.publish)
        elif changes:
            yield Step(">", f"publish {title}", place.publish_if_changed)
    for product in entry.get("products") or ():
        if now is None or product not in now["linkedProducts"]:
            yield Step(">", f"link product {product} to {title}", place.link(str(product)))


class _Place:
    """The id of an integration, known at the latest when it has been created, and when it was last modified."""

    def __init__(self, any_id: str | None, modified: object) -> None:
        self._id = any_id
        self._modified = modified
        self._unchanged = False

    def create(self, document: Mapping[str, Any]) -> Act:
        async def act(client: Client) -> Any:
            made = await client.definitions.create(document)
            self._id = made["definition"]["id"]
            return made

        return act

    def change(self, changes: Mapping[str, Any]) -> Act:
        async def act(client: Client) -> Any:
            made = await client.definitions.change(self._known(), changes)
            self._unchanged = made["definition"]["lastModified"] == self._modified
            return UNCHANGED if self._unchanged else made

        return act

    async def publish(self, client: Client) -> Any:
        return await client.definitions.publish(self._known())

    async def publish_if_changed(self, client: Client) -> Any:
        """After a change of which only the server knows if it was one."""
        return UNCHANGED if self._unchanged else await self.publish(client)

    def link(self, product: str) -> Act:
        return lambda client: client.definitions.link(self._known(), product)

    def _known(self) -> str:
        if self._id is None:
            raise ConfigurationError("the integration was not created")
        return self._id


def _products(entries: list[dict[str, Any]], present: Present) -> Iterator[Step]:
    for entry in entries:
        product_id = str(entry.get("id") or "")
        if not product_id:
            raise ConfigurationError("every product has an id")
        body = {key: value for key, value in entry.items() if key != "id"}
        now = present.products.get(product_id, {})
        if changes := _plain_differences(body, now, _SHOWN_OF_PRODUCTS):
            act = _replaced("products", product_id, body)
            yield Step("~" if now else "+", f"product {product_id}", act, changes)


_SHOWN_OF_PRODUCTS = ("name", "description", "logo", "supportUrl", "termsUrl", "editions")
SHOWN_OF: dict[str, tuple[str, ...]] = {
    "marketplaces": ("id", "name", "productIds", "notificationUrl", "allowedOrigins", "brand", "confirm"),
    "connector_templates": (
        *("name", "version", "authType", "native", "integrationId", "properties"),
        *("authorizeUri", "tokenUri", "clientId", "clientSecret", "scope"),
    ),
    "products": ("id", *_SHOWN_OF_PRODUCTS),
}
"""Fields that are declared; all others are the server's."""


def _keyed(
    word: str, collection: str, entries: list[dict[str, Any]], present: list[dict[str, Any]], key: tuple[str, ...]
) -> Iterator[Step]:
    known = {tuple(one[name] for name in key): one for one in present}
    for entry in entries:
        identity = tuple(entry.get(name) for name in key)
        if None in identity:
            raise ConfigurationError(f"every {word} has {' and '.join(key)}")
        title, now = f"{word} {' '.join(map(str, identity))}", known.get(identity)
        fill_secrets(title, secrets_of_template(entry), known=now is not None)
        changes = _plain_differences(entry, now or {}, SHOWN_OF[collection])
        if now is None:
            yield Step("+", title, _created(collection, entry), changes)
        elif changes:
            yield Step("~", title, _replaced(collection, now["id"], entry), changes)


def _plain_differences(wanted: Mapping[str, Any], now: Mapping[str, Any], names: Iterable[str]) -> list[Difference]:
    known = set(names)
    if unknown := sorted(wanted.keys() - known):
        raise ConfigurationError(f"there is no field {unknown[0]!r} here: {', '.join(sorted(known))}")
    pairs = ((name, _bare(now.get(name)), _bare(wanted.get(name))) for name in names)
    return [Difference(name, before, after) for name, before, after in pairs if before != after]


def _bare(value: Any) -> Any:
    """Without what says nothing, so that what is left out is as what is empty."""
    if isinstance(value, dict):
        return {name: bare for name, one in value.items() if (bare := _bare(one)) is not None} or None
    if isinstance(value, list):
        return [_bare(one) for one in value] or None
    return None if value in ("", False) else value


def _created(collection: str, body: Mapping[str, Any]) -> Act:
    return lambda client: client.resources(collection).create(body)


def _replaced(collection: str, resource_id: object, body: Mapping[str, Any]) -> Act:
    return lambda client: client.resources(collection).replace(resource_id, body)


def _deleted(collection: str, resource_id: object) -> Act:
    return lambda client: client.resources(collection).delete(resource_id)


def _pruned(declared: Declared, present: Present) -> Iterator[Step]:
    """Steps that remove what is not declared: links first, since what is linked cannot go."""
    kept = {now["id"]: entry for entry, now in matched(declared["integrations"], present.integrations) if now}
    for one in present.integrations:
        products = kept.get(one["id"], {}).get("products") or ()
        for product in one["linkedProducts"]:
            if product not in products:
                yield Step(
                    "-", f"unlink product {product} from integration {one['name']}", _unlinked(one["id"], product)
                )
        if one["id"] not in kept:
            yield Step("-", f"integration {one['name']}", _dropped(one["id"]))
    shops = {entry.get("id") for entry in declared["marketplaces"]}
    for shop in present.marketplaces:
        if shop["id"] not in shops:
            yield Step("-", f"marketplace {shop['id']}", _deleted("marketplaces", shop["id"]))
    templates = {(entry.get("name"), entry.get("version")) for entry in declared["connectorTemplates"]}
    for template in present.templates:
        if (template["name"], template["version"]) not in templates:
            title = f"connector template {template['name']} {template['version']}"
            yield Step("-", title, _deleted("connector_templates", template["id"]))


def _unlinked(any_id: str, product: str) -> Act:
    return lambda client: client.definitions.unlink(any_id, product)


def _dropped(any_id: str) -> Act:
    return lambda client: client.definitions.delete(any_id)
