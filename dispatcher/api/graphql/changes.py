"""Turns mutation inputs into the changes that the use cases know. Decides nothing."""

from __future__ import annotations

import re
from typing import cast

from strawberry.types.unset import UNSET

from dispatcher.api.graphql.inputs import (
    AddProductIntegrationOpenIdConnectConfigurationInput,
    IntegrationFields,
    OutboundCredentialsInput,
    TransportInput,
    UpdateProductIntegrationOpenIdConnectConfigurationInput,
    given,
)
from dispatcher.errors import Unprocessable
from dispatcher.flow.integrations.changes import CredentialChanges, HeaderChange, IntegrationChanges, TransportChanges
from dispatcher.model.event_type import URL_FIELDS
from dispatcher.model.integration import OpenIdConnect, OrderFormField

_PLAIN = {
    "name": "name",
    "answers": "answers",
    "retry_schedule": "schedule_s",
    "request_timeout": "timeout_s",
    "max_age": "max_age_s",
    "concurrency": "concurrency",
    "rate_limit": "rate_per_s",
    "result_deadline": "result_deadline_s",
    "filter": "filter",
    "validate_payloads": "validate_payloads",
    "order_require_form_fields": "order_require_form_fields",
    "probe_interval_minutes": "probe_interval_minutes",
    "vendor_id": "vendor_id",
}
"""Input attribute → change."""

_CREDENTIALS = (
    "type",
    "client_id",
    "client_secret",
    "token_uri",
    "grant_type",
    "scope",
    "audience",
    "resource",
    "auth_method",
    "private_key",
    "key_id",
)
_TRANSPORT = (
    "client_certificate",
    "private_key",
    "ca_certificates",
    "proxy_url",
    "proxy_username",
    "proxy_password",
)
_OPEN_ID_CONNECT = (
    "client_creation_method",
    "grant_types",
    "redirect_urls",
    "initiate_login_url",
    "logout_url",
    "allow_oidc_scope",
    "allow_user_scopes",
    "allow_role_scopes",
)
_KEPT_WHEN_NULL = frozenset(_OPEN_ID_CONNECT) - {"initiate_login_url", "logout_url"}
_CAPITAL = re.compile(r"[A-Z]")


def integration_changes(values: IntegrationFields) -> IntegrationChanges:
    changes = cast("IntegrationChanges", given(values, _PLAIN))
    if not isinstance(changes.get("filter"), dict | None):
        raise Unprocessable.of("wrong_type", "filter is an object.", "filter")
    changes["urls"] = given(values, {snake(field): field for field in URL_FIELDS})
    if values.outbound_credentials is not UNSET:
        changes["credentials"] = credential_changes(values.outbound_credentials)
    if values.transport is not UNSET:
        changes["transport"] = transport_changes(values.transport)
    if values.headers is not UNSET:
        changes["headers"] = [HeaderChange(one.name, one.value, one.secret) for one in values.headers or ()]
    if values.order_form_fields is not UNSET:
        changes["order_form_fields"] = [
            OrderFormField(one.name, one.label, (one.type or "TEXT").upper(), bool(one.required))
            for one in values.order_form_fields or ()
        ]
    return changes


def open_id_connect(
    values: AddProductIntegrationOpenIdConnectConfigurationInput
    | UpdateProductIntegrationOpenIdConnectConfigurationInput,
    before: OpenIdConnect,
) -> OpenIdConnect:
    """``before`` with what ``values`` holds; a list or a switch cannot be cleared, so null keeps it."""
    known = {name: getattr(before, name) for name in _OPEN_ID_CONNECT}
    wanted = given(values, {name: name for name in _OPEN_ID_CONNECT})
    known |= {name: value for name, value in wanted.items() if value is not None or name not in _KEPT_WHEN_NULL}
    known["grant_types"] = tuple(str(one) for one in known["grant_types"])
    known["redirect_urls"] = tuple(known["redirect_urls"])
    known["client_creation_method"] = str(known["client_creation_method"])
    return OpenIdConnect(**known)


def credential_changes(values: OutboundCredentialsInput | None) -> CredentialChanges | None:
    if values is None:
        return None
    return cast("CredentialChanges", given(values, {name: name for name in _CREDENTIALS}))


def transport_changes(values: TransportInput | None) -> TransportChanges | None:
    if values is None:
        return None
    return cast("TransportChanges", given(values, {name: name for name in _TRANSPORT}))


def snake(name: str) -> str:
    return _CAPITAL.sub(lambda capital: "_" + capital[0].lower(), name)
