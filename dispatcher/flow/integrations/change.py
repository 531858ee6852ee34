"""Applies a publisher's changes to the WORKING version. Pure but for sealing: stores and contacts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from dispatcher.errors import Problem, Unprocessable
from dispatcher.flow.integrations.change_transport import ChangedTransport, change_transport, moved_proxy_problems
from dispatcher.flow.integrations.changes import (
    MASK,
    HeaderChange,
    IntegrationChanges,
    UrlRule,
)
from dispatcher.flow.integrations.private_keys import private_key_problem
from dispatcher.flow.integrations.rules import (
    MAX_SECRET_CHARS,
    name_problems,
    probe_problems,
    revision_problems,
    too_long,
)
from dispatcher.flow.integrations.transport_rules import bound_problems, transport_problems
from dispatcher.model.integration import (
    CredentialType,
    Header,
    Integration,
    LaneLimits,
    OutboundCredentials,
    RetryPolicy,
    Revision,
)
from dispatcher.policy.headers import header_problems
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.sealing import Sealer

_PLAIN_CREDENTIALS = {
    "type": CredentialType.NONE,
    "client_id": "",
    "token_uri": "",
    "grant_type": "client_credentials",
    "scope": None,
    "audience": None,
    "resource": None,
    "auth_method": OutboundCredentials().auth_method,
    "key_id": None,
}
"""Credential fields that are not secret, with what null clears them to."""

_DEFAULTS = Revision()


@dataclass(frozen=True, slots=True)
class Editor:
    """What it takes to change an integration: how to seal, and where notifications may go."""

    sealer: Sealer
    url_rule: UrlRule

    def apply(self, integration: Integration, changes: IntegrationChanges) -> Integration:
        """The integration with ``changes``. Raises ``Unprocessable`` with everything that is wrong with them."""
        wanted = changes.get("name")
        name = integration.name if wanted is None else wanted
        transport = self._transport(integration, changes)
        working = self._working(integration, changes)
        if transport is not None:
            working = replace(working, transport=transport.stored)
        problems = [
            *name_problems(name, "name"),
            *_header_problems(working.credentials, integration.working.headers, changes),
        ]
        problems += revision_problems(working, self.url_rule)
        problems += _secret_problems(changes)
        problems += _moved_problems(integration.working.credentials, working.credentials)
        if transport is not None:
            problems += transport_problems(transport.opened, self.url_rule)
            problems += moved_proxy_problems(integration.working.transport, working.transport)
        problems += bound_problems(working.credentials, working.transport)
        probe_interval = _given(changes, "probe_interval_minutes", integration.probe_interval_minutes)
        problems += probe_problems(probe_interval)
        vendor_id = _given(changes, "vendor_id", integration.vendor_id) or None
        problems += name_problems(vendor_id, "vendorId") if vendor_id else ()
        if problems:
            raise Unprocessable(problems)
        named = replace(integration, name=name, vendor_id=vendor_id)
        return replace(named, working=working, probe_interval_minutes=probe_interval)

    def _working(self, integration: Integration, changes: IntegrationChanges) -> Revision:
        before = integration.working
        urls = before.urls | changes.get("urls", {})
        return replace(
            before,
            urls={field: url for field, url in urls.items() if url},
            credentials=self._credentials(integration, changes),
            answers=_given(changes, "answers", before.answers) or _DEFAULTS.answers,
            retry=_retry(before.retry, changes),
            limits=LaneLimits(
                _given(changes, "concurrency", before.limits.concurrency),
                _given(changes, "rate_per_s", before.limits.rate_per_s),
            ),
            headers=self._headers(integration, changes),
            filter=_given(changes, "filter", before.filter),
            validate_payloads=bool(_given(changes, "validate_payloads", before.validate_payloads)),
            order_require_form_fields=bool(
                _given(changes, "order_require_form_fields", before.order_require_form_fields)
            ),
            order_form_fields=tuple(_given(changes, "order_form_fields", before.order_form_fields) or ()),
            result_deadline_s=_given(changes, "result_deadline_s", before.result_deadline_s),
        )

    def _transport(self, integration: Integration, changes: IntegrationChanges) -> ChangedTransport | None:
        """None = nothing about it was asked for."""
        if "transport" not in changes:
            return None
        return change_transport(self.sealer, integration.id, integration.working.transport, changes["transport"])

    def _credentials(self, integration: Integration, changes: IntegrationChanges) -> OutboundCredentials:
        before = integration.working.credentials
        if "credentials" not in changes:
            return before
        wanted = changes["credentials"]
        if wanted is None:
            return OutboundCredentials()
        plain: dict[str, Any] = {
            name: cleared if wanted.get(name) is None else wanted.get(name)
            for name, cleared in _PLAIN_CREDENTIALS.items()
            if name in wanted
        }
        return replace(
            before,
            **plain,
            client_secret=self._secret(
                wanted.get("client_secret", MASK), before.client_secret, sealed_fields.client_secret(integration.id)
            ),
            private_key=self._secret(
                wanted.get("private_key", MASK), before.private_key, sealed_fields.private_key(integration.id)
            ),
        )

    def _secret(self, text: str | None, before: str, context: str) -> str:
        if text == MASK:
            return before
        return self.sealer.seal(text, context) if text else ""

    def _headers(self, integration: Integration, changes: IntegrationChanges) -> tuple[Header, ...]:
        before = integration.working.headers
        if "headers" not in changes:
            return before
        kept = {header.name.lower(): header for header in before}
        return tuple(self._header(integration.id, one, kept.get(one.name.lower())) for one in changes["headers"] or ())

    def _header(self, integration_id: str, wanted: HeaderChange, kept: Header | None) -> Header:
        if wanted.keeps_value:
            return kept or Header(wanted.name, "")
        value = wanted.value or ""
        if not wanted.secret:
            return Header(wanted.name, value)
        context = sealed_fields.header_value(integration_id, wanted.name)
        return Header(wanted.name, self.sealer.seal(value, context), secret=True)


def _header_problems(
    credentials: OutboundCredentials, before: tuple[Header, ...], changes: IntegrationChanges
) -> Iterator[Problem]:
    """Headers as they were given; those kept as they are only matter for ``Authorization``."""
    given = [HeaderChange(header.name) for header in before] if "headers" not in changes else changes["headers"] or []
    known = {header.name.lower() for header in before}
    for position, header in enumerate(given):
        if header.keeps_value and header.name.lower() not in known:
            yield Problem("required", "Give the value of a new header.", f"headers.{position}.value")
    pairs = [(header.name, "" if header.keeps_value else header.value or "") for header in given]
    yield from header_problems(pairs, authenticated=credentials.type is not CredentialType.NONE)


def _secret_problems(changes: IntegrationChanges) -> Iterator[Problem]:
    """Of secrets as they were given: once sealed, nothing can be said of them."""
    given = changes.get("credentials") or {}
    if len(given.get("client_secret") or "") > MAX_SECRET_CHARS:
        yield too_long("outboundCredentials.clientSecret", MAX_SECRET_CHARS)
    key = given.get("private_key")
    if key and key != MASK and (problem := private_key_problem(key, "outboundCredentials.privateKey")):
        yield problem


def _moved_problems(before: OutboundCredentials, after: OutboundCredentials) -> Iterator[Problem]:
    """A secret that nobody may read back is not sent to a place that whoever gave it never named."""
    kept = before.client_secret and after.client_secret == before.client_secret
    if kept and _origin(after.token_uri) != _origin(before.token_uri):
        text = "The token endpoint moved to another host: give the client secret again."
        yield Problem("required", text, "outboundCredentials.clientSecret")


def _origin(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def _retry(before: RetryPolicy, changes: IntegrationChanges) -> RetryPolicy:
    schedule = _given(changes, "schedule_s", before.schedule_s)
    return RetryPolicy(
        None if schedule is None else tuple(schedule),
        _given(changes, "timeout_s", before.timeout_s),
        _given(changes, "max_age_s", before.max_age_s),
    )


def _given(changes: IntegrationChanges, name: str, before: Any) -> Any:
    return changes.get(name, before)
