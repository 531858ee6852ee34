"""Makes and changes connector templates. Contacts none of their addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dispatcher.errors import Problem, Unprocessable
from dispatcher.flow.integrations.fields.credential_rules import client_secret_problem
from dispatcher.flow.integrations.fields.kind import UrlRule
from dispatcher.model.connector import ConnectorAuth, ConnectorTemplate, OAuthApplication, PropertyRule
from dispatcher.model.deployment import MASK
from dispatcher.model.precondition import Precondition
from dispatcher.policy.texts import name_problems
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.secrets.fields import template_client_secret
from dispatcher.store.secrets.sealing import Sealer

MAX_PROPERTIES = 50


@dataclass(frozen=True, slots=True)
class OAuthForm:
    """A template's own authorization; ``client_secret`` in clear, or a mask: the one that is there stays."""

    authorize_uri: str | None = None
    token_uri: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateForm:
    """A template as its publisher describes it; a change replaces all of it. ``integration_id``: any of its ids."""

    name: str
    version: str = "1.0"
    auth_type: ConnectorAuth | None = None
    native: bool = False
    integration_id: str | None = None
    properties: tuple[PropertyRule, ...] = ()
    oauth: OAuthForm | None = None


@dataclass(frozen=True, slots=True)
class TemplateDesk:
    """The use cases; ``store`` and ``definitions`` are what exists for whoever acts."""

    store: TemplateStore
    definitions: Definitions
    sealer: Sealer
    url_rule: UrlRule

    async def create(self, form: TemplateForm, now_ms: int) -> ConnectorTemplate:
        """Raises ``Unprocessable`` with everything that is wrong, and ``Conflict`` for a version that is there."""
        integration_id = await self._checked(form, None)
        number = await self.store.next_id()
        vendor_id = self.definitions.vendor_id
        blank = ConnectorTemplate(number, form.name, form.version, now_ms, now_ms, vendor_id=vendor_id)
        return await self.store.create(self._filled(blank, form, integration_id))

    async def change(
        self, template_id: int, form: TemplateForm, now_ms: int, expected: Precondition | None = None
    ) -> ConnectorTemplate:
        """Replace what the form says. Raises ``NotFound``, ``Unprocessable``, ``Conflict``."""
        integration_id = await self._checked(form, await self.store.get(template_id))

        def changed(current: ConnectorTemplate) -> ConnectorTemplate:
            filled = self._filled(current, form, integration_id)
            return replace(filled, modified_ms=max(now_ms, current.modified_ms + 1))

        return await self.store.edit(template_id, changed, expected)

    async def mark_native(self, template_id: int, native: bool, now_ms: int) -> ConnectorTemplate:
        """Native ones may be deployed as partner connectors, others are Standard. Raises ``NotFound``."""

        def changed(current: ConnectorTemplate) -> ConnectorTemplate:
            return replace(current, native=native, modified_ms=max(now_ms, current.modified_ms + 1))

        return await self.store.edit(template_id, changed)

    async def _checked(self, form: TemplateForm, current: ConnectorTemplate | None) -> str | None:
        """The integration's own id, if the form names one."""
        problems = list(form_problems(form, current, self.url_rule))
        integration = await self.definitions.integration(form.integration_id) if form.integration_id else None
        if form.integration_id and integration is None:
            text = "There is no such integration; give its id, or none."
            problems.append(Problem("invalid_reference", text, "integrationId"))
        if problems:
            raise Unprocessable(problems)
        return integration.id if integration else None

    def _filled(self, template: ConnectorTemplate, form: TemplateForm, integration_id: str | None) -> ConnectorTemplate:
        return replace(
            template,
            name=form.name,
            version=form.version,
            auth_type=form.auth_type,
            native=form.native,
            integration_id=integration_id,
            properties=form.properties,
            oauth=self._sealed(template, form.oauth) if form.oauth else None,
        )

    def _sealed(self, template: ConnectorTemplate, form: OAuthForm) -> OAuthApplication:
        kept = template.oauth.client_secret if template.oauth else ""
        given = form.client_secret or ""
        context = template_client_secret(template.id)
        secret = kept if given == MASK else self.sealer.seal(given, context) if given else ""
        return OAuthApplication(
            form.authorize_uri or "", form.token_uri or "", form.client_id or "", secret, form.scope
        )


def form_problems(form: TemplateForm, current: ConnectorTemplate | None, url_rule: UrlRule) -> Iterator[Problem]:
    """Everything wrong with it, field by field."""
    yield from name_problems(form.name, "name")
    yield from name_problems(form.version, "version")
    if len(form.properties) > MAX_PROPERTIES:
        yield Problem("limit_reached", f"At most {MAX_PROPERTIES}.", "properties")
    names = [one.name.casefold() for one in form.properties]
    for at, rule in enumerate(form.properties):
        yield from name_problems(rule.name, f"properties.{at}.name")
        if rule.name.casefold() in names[:at]:
            yield Problem("duplicate_value", "Name each property once.", f"properties.{at}.name")
    if form.auth_type is ConnectorAuth.OAUTH2:
        yield from _oauth_problems(form.oauth or OAuthForm(), current, url_rule)
    elif form.oauth is not None:
        text = "Only templates with authType OAUTH2 have an authorization of their own: leave it out."
        yield Problem("invalid_value", text, "authorizeUri")


def _oauth_problems(form: OAuthForm, current: ConnectorTemplate | None, url_rule: UrlRule) -> Iterator[Problem]:
    for field, url in (("authorizeUri", form.authorize_uri), ("tokenUri", form.token_uri)):
        if not url:
            yield Problem("required", "OAUTH2 needs it.", field)
        elif problem := url_rule(url, field):
            yield problem
    if not form.client_id:
        yield Problem("required", "OAUTH2 needs it.", "clientId")
    if form.client_secret == MASK and not (current and current.oauth):
        yield Problem("masked_value", "There is no secret that could stay: give it.", "clientSecret")
    if problem := client_secret_problem(form.client_secret or "", "clientSecret"):
        yield problem
