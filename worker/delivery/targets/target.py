"""Everything about one revision that sending needs, opened and parsed once: keys, secrets, headers, schedule."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

from dispatcher.flow.integrations.fields.transport import open_transport
from dispatcher.model.integration import (
    AnswerMode,
    CredentialType,
    Integration,
    OutboundCredentials,
    Revision,
)
from dispatcher.policy.integration_filter.filter import Filter, compile_filter
from dispatcher.policy.notification.signing import DatedKey, parse_secret
from dispatcher.policy.secrets.secret_places import misplaced
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.sealing import Sealer, SealError
from worker.delivery.targets.form import Form, form_of
from worker.http.transport import Route, route_of
from worker.oauth.values import fingerprint


@dataclass(frozen=True, slots=True)
class Target:
    """``secrets`` must never show in a kept answer; ``fixed_headers`` go with every attempt."""

    integration: Integration
    revision: Revision
    keys: tuple[DatedKey, ...]
    credentials: OutboundCredentials
    token_key: str | None
    fixed_headers: dict[str, str]
    secrets: tuple[str, ...]
    schedule_s: tuple[float, ...]
    timeout_s: float
    result_deadline_s: float
    answers: AnswerMode
    filter: Filter
    route: Route | None = None
    """Certificates and proxy of its connections; None = the shared ones."""
    form: Form | None = None
    """Another form of its notifications than the usual one."""
    tenant: str = ""
    """Whoever's share of this worker it takes; empty = that of all that is the dispatcher's own."""
    misplaced: str = ""
    """Secrets that were saved for other places than they would go to: nothing is sent with them."""

    @property
    def token_scope(self) -> str:
        """Tokens are kept apart by integration, and by the certificate that they may be bound to (RFC 8705 §3)."""
        return token_scope(self.integration.id, self.route)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Values of the deployment, for whatever a revision leaves open."""

    schedule_s: tuple[float, ...]
    timeout_s: float
    result_deadline_s: float
    token_lifetime_s: float | None = None


@dataclass(frozen=True, slots=True)
class TargetOpener:
    """Makes targets of definitions."""

    sealer: Sealer
    defaults: Defaults

    def open(self, integration: Integration, revision: Revision) -> Target:
        """Raises ``SealError``, which names the integration, when a secret cannot be opened with the keys at hand."""
        try:
            return self._opened(integration, revision)
        except SealError as error:
            raise SealError(f"integration {integration.id}: {error}") from None

    def _opened(self, integration: Integration, revision: Revision) -> Target:
        credentials = self._credentials(integration.id, revision.credentials)
        headers = {
            header.name: self._open(header.value, sealed_fields.header_value(integration.id, header.name))
            if header.secret
            else header.value
            for header in revision.headers
        }
        headers["Content-Type"] = "application/json"
        hidden: list[str] = []
        if credentials.type is CredentialType.BASIC:
            pair = base64.b64encode(f"{credentials.client_id}:{credentials.client_secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
            hidden.append(pair)
        secrets = [
            self._open(s.secret, sealed_fields.signing_secret(integration.id)) for s in integration.signing_secrets
        ]
        route = route_of(open_transport(self.sealer, integration.id, revision.transport))
        oauth2 = credentials.type is CredentialType.OAUTH2
        secret_headers = [headers[header.name] for header in revision.headers if header.secret]
        hidden += [credentials.client_secret, credentials.private_key, *secrets, *secret_headers]
        if route is not None:
            hidden += [route.transport.private_key, route.transport.proxy_password]
        return Target(
            integration=integration,
            revision=revision,
            keys=tuple(
                (parse_secret(text), kept.not_after_ms)
                for text, kept in zip(secrets, integration.signing_secrets, strict=True)
            ),
            credentials=credentials,
            token_key=fingerprint(credentials, token_scope(integration.id, route)) if oauth2 else None,
            fixed_headers=headers,
            secrets=tuple(text for text in hidden if text),
            schedule_s=revision.retry.schedule_s if revision.retry.schedule_s is not None else self.defaults.schedule_s,
            timeout_s=revision.retry.timeout_s or self.defaults.timeout_s,
            result_deadline_s=revision.result_deadline_s or self.defaults.result_deadline_s,
            answers=revision.answers,
            filter=compile_filter(revision.filter),
            route=route,
            form=form_of(revision),
            tenant=integration.tenant,
            misplaced=", ".join(misplaced(revision)),
        )

    def _credentials(self, integration_id: str, credentials: OutboundCredentials) -> OutboundCredentials:
        return replace(
            credentials,
            client_secret=self._open(credentials.client_secret, sealed_fields.client_secret(integration_id)),
            private_key=self._open(credentials.private_key, sealed_fields.private_key(integration_id)),
            token_lifetime_s=credentials.token_lifetime_s or self.defaults.token_lifetime_s,
        )

    def _open(self, sealed: str, context: str) -> str:
        return self.sealer.open(sealed, context) if sealed else ""


def token_scope(integration_id: str, route: Route | None) -> str:
    return integration_id if route is None else f"{integration_id}/{route.name}"
