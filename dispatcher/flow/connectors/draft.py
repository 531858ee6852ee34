"""One connector as it becomes: what is asked, over what there is. Reads and writes no store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dispatcher.errors import InvalidRequest, Problem
from dispatcher.flow.connectors.plan import Plan
from dispatcher.flow.integrations.fields.kind import UrlRule
from dispatcher.model.connector import AccountConnector, ConnectorProperty
from dispatcher.model.deployment import MASK, ConnectorAsked
from dispatcher.policy.addresses.url_properties import (
    ORIGIN_PROPERTY,
    Unfillable,
    fill,
    meant,
    names_a_host,
    origin_of,
    origin_refusal,
    unfillable,
    variables,
)
from dispatcher.policy.installing.connector_auth import auth_value_refusal, kind_of
from dispatcher.store.secrets.fields import connector_auth_value
from dispatcher.store.secrets.sealing import Sealer

DEFAULT_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class ConnectorDraft:
    """``field``: where the request holds the connector, in the words of an error."""

    sealer: Sealer
    url_rule: UrlRule
    plan: Plan
    asked: ConnectorAsked
    now_ms: int
    field: str = "PartnerConnector"

    def applied(self, current: AccountConnector, new_ids: range) -> AccountConnector:
        """``current`` with all that is asked. ``new_ids``: for properties that it has not had. ``InvalidRequest``."""
        given = self.asked.auth_value
        properties = self._properties(current, new_ids)
        values = {one.name: one.value for one in properties}
        self._check_required(values)
        self._check_hosts(values)
        changed = replace(
            current,
            name=self.asked.name,
            version=self.asked.version or (current.version or self._template_version()),
            description=self.asked.description if self.asked.description is not None else current.description,
            properties=properties,
            integration_id=current.integration_id or self.plan.integration_id,
            template_id=self.plan.template.id if self.plan.template else current.template_id,
        )
        if given is None or given == MASK:
            return self._without_stray_value(current, changed, values)
        return self._with_value(changed, given, values) if given else _unauthenticated(changed)

    def _template_version(self) -> str:
        return self.plan.template.version if self.plan.template else DEFAULT_VERSION

    def _properties(self, current: AccountConnector, new_ids: range) -> tuple[ConnectorProperty, ...]:
        if self.asked.properties is None:
            return current.properties
        known = {one.name: one.id for one in current.properties}
        fresh = iter(new_ids)
        return tuple(
            ConnectorProperty(known[name] if name in known else next(fresh), name, value)
            for name, value in self.asked.properties
        )

    def _at(self, name: str) -> str:
        """The place of the connector's ``name`` in the request."""
        return f"{self.field}.{name}" if self.field else name

    def _check_required(self, values: Mapping[str, str]) -> None:
        rules = self.plan.template.properties if self.plan.template else ()
        missing = [rule.name for rule in rules if rule.required and not values.get(rule.name)]
        if missing:
            where = self._at("Properties")
            problems = [
                Problem("missing_property", f"This connector needs the property {name!r}{meant(name, values)}.", where)
                for name in missing
            ]
            raise InvalidRequest(problems)

    def _check_hosts(self, values: Mapping[str, str]) -> None:
        """Judge names of hosts when they are given; they are judged once more when something is sent."""
        where = self._at("Properties")
        moved_to = values.get(ORIGIN_PROPERTY)
        if moved_to:
            if why := origin_refusal(moved_to, self.plan.urls):
                raise InvalidRequest.of("invalid_property", f"{ORIGIN_PROPERTY}: {why}", where)
            if problem := self.url_rule(moved_to, where):
                raise InvalidRequest([problem])
        for url in self.plan.urls:
            if why := unfillable(url, {**dict.fromkeys(variables(url), "x"), **values}):
                raise InvalidRequest.of("invalid_property", f"With these properties {why}.", where)

    def _without_stray_value(
        self, current: AccountConnector, changed: AccountConnector, values: Mapping[str, str]
    ) -> AccountConnector:
        """A value goes nowhere that it was not given for: who names another host gives it again."""
        before = {one.name: one.value for one in current.properties}
        names = {*before, *values}
        moved = any(before.get(name) != values.get(name) and names_a_host(name, self.plan.urls) for name in names)
        return _unauthenticated(changed) if moved else changed

    def _with_value(self, changed: AccountConnector, value: str, values: Mapping[str, str]) -> AccountConnector:
        template = self.plan.template
        kind = kind_of(value, template.auth_type if template else None, self.asked.auth_type)
        if why := auth_value_refusal(kind, value):
            raise InvalidRequest.of("invalid_auth_value", why, self._at("AuthValue"))
        context = connector_auth_value(changed.id)
        sealed = changed.auth_value
        if not sealed or self.sealer.open(sealed, context) != value:
            sealed = self.sealer.seal(value, context)
        return replace(
            changed,
            auth_value=sealed,
            auth_type=self.asked.auth_type,
            auth_kind=kind,
            refresh_token=None,
            expires_ms=None,
            origins=origins_of(self.plan.urls, values),
            needs_attention=None,
            remote_account=changed.remote_account if sealed == changed.auth_value else None,
        )


def origins_of(urls: tuple[str, ...], values: Mapping[str, str]) -> tuple[str, ...]:
    """Origins that the integration's notifications go to for an account with these properties."""
    found = set()
    for url in urls:
        try:
            found.add(origin_of(fill(url, values).url))
        except Unfillable:
            continue
    return tuple(sorted(origin for origin in found if origin))


def _unauthenticated(connector: AccountConnector) -> AccountConnector:
    without = replace(connector, auth_value=None, auth_kind=None, refresh_token=None, expires_ms=None, origins=())
    return replace(without, remote_account=None)
