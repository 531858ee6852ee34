"""The template that a deployed connector follows, and the integration it is bound to. Decides; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key

from dispatcher.errors import InvalidRequest, NotFound
from dispatcher.flow.installations.making.shown_products import ShownProduct, shown_products
from dispatcher.model.connector import ConnectorTemplate
from dispatcher.model.integration import Integration
from dispatcher.model.marketplace import Marketplace
from dispatcher.policy.installing.versions import is_higher
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.installations.parties.templates import TemplateStore


@dataclass(frozen=True, slots=True)
class Plan:
    """``template`` None = an ad-hoc connector. ``urls``: where the integration's notifications go, as configured."""

    template: ConnectorTemplate | None = None
    integration_id: str | None = None
    urls: tuple[str, ...] = ()


class ConnectorPlanner:
    """One per process."""

    def __init__(self, templates: TemplateStore, cache: DefinitionCache) -> None:
        self._templates = templates
        self._cache = cache

    async def partner(self, name: str, version: str | None, marketplace: Marketplace) -> Plan:
        """For a connector of that name that is deployed into ``marketplace``. ``InvalidRequest``."""
        shown = await shown_products(self._cache, marketplace)
        named = _within(await self._templates.named(name), marketplace, shown)
        if named and not any(one.native for one in named):
            text = f"{name!r} is a Standard connector: mark its template as native to deploy it with a session."
            raise InvalidRequest.of("not_native", text, "PartnerConnector.Name")
        template = _version_of([one for one in named if one.native], version)
        integration_id = template.integration_id if template else None
        return await self._plan(template, integration_id or _named_integration(name, shown))

    async def template(self, name: str, marketplace: Marketplace) -> ConnectorTemplate | None:
        """The newest template that is meant by that name in the marketplace, native or not."""
        shown = await shown_products(self._cache, marketplace)
        return _version_of(_within(await self._templates.named(name), marketplace, shown), None)

    async def require(self, template: ConnectorTemplate, marketplace: Marketplace) -> None:
        """``NotFound`` for a template that is not meant in that marketplace."""
        if not _within([template], marketplace, await shown_products(self._cache, marketplace)):
            raise NotFound.of("not_found", f"There is no connector template {template.id}.", "templateId")

    async def of_template(self, template: ConnectorTemplate) -> Plan:
        return await self._plan(template, template.integration_id)

    async def again(self, template_id: int | None, integration_id: str | None) -> Plan:
        """For a connector that exists: what it is bound to stays."""
        template = await self._templates.find(template_id) if template_id is not None else None
        return await self._plan(template, integration_id)

    async def _plan(self, template: ConnectorTemplate | None, integration_id: str | None) -> Plan:
        integration = await self._cache.integration(integration_id) if integration_id else None
        if integration is None:
            return Plan(template)
        return Plan(template, integration.id, await self._urls_of(integration))

    async def _urls_of(self, integration: Integration) -> tuple[str, ...]:
        number = integration.published_revision
        revision = await self._cache.revision(integration.id, number) if number else integration.working
        return tuple(url for url in (revision or integration.working).urls.values() if url)


def _within(
    templates: list[ConnectorTemplate], marketplace: Marketplace, shown: list[ShownProduct]
) -> list[ConnectorTemplate]:
    """Of templates of one name those that are meant in this marketplace: of its integrations, its owner, nobody."""
    integrations = {one.integration.id for one in shown if one.integration}
    classes = (
        [one for one in templates if one.integration_id in integrations],
        [one for one in templates if one.vendor_id == marketplace.vendor_id],
        [one for one in templates if one.vendor_id is None],
    )
    return next((found for found in classes if found), [])


def _version_of(templates: list[ConnectorTemplate], version: str | None) -> ConnectorTemplate | None:
    if not templates:
        return None
    if version is None:
        return max(templates, key=cmp_to_key(_by_version))
    found = next((one for one in templates if one.version == version), None)
    if found is None:
        known = ", ".join(sorted({one.version for one in templates}))
        text = f"There is no version {version[:64]!r} of it; there is {known}."
        raise InvalidRequest.of("unknown_version", text, "PartnerConnector.Version")
    return found


def _by_version(one: ConnectorTemplate, other: ConnectorTemplate) -> int:
    return 1 if is_higher(one.version, other.version) else -1


def _named_integration(name: str, shown: list[ShownProduct]) -> str | None:
    """By its exact name, if one of the marketplace has it and no other."""
    found = {one.integration.id for one in shown if one.integration and one.integration.name == name}
    return found.pop() if len(found) == 1 else None
