"""Turns stored values into the parts of what queries return. Masks every secret."""

from __future__ import annotations

from typing import Any

from dispatcher.api.graphql import outputs
from dispatcher.api.graphql.changes import snake
from dispatcher.api.graphql.enums import ClientCreationMethod, GrantType, OpenIdGrantType
from dispatcher.api.graphql.scalars import EpochMs
from dispatcher.clock import iso_ms
from dispatcher.flow.integrations.changes import MASK
from dispatcher.model.event_type import URL_FIELDS
from dispatcher.model.integration import (
    Bookmark,
    Header,
    InboundClient,
    OpenIdConnect,
    OutboundCredentials,
    Revision,
    SigningRotation,
    SigningSecret,
    Transport,
)
from dispatcher.policy.certificates import certificate_facts, read_certificates
from dispatcher.policy.signing import published_key

_URL_ATTRIBUTES = {field: snake(field) for field in URL_FIELDS}


def shown(revision: Revision) -> dict[str, Any]:
    """Whatever belongs to one version, by attribute of ``ProductIntegration``."""
    schedule = revision.retry.schedule_s
    return {
        **{attribute: revision.urls.get(field) for field, attribute in _URL_ATTRIBUTES.items()},
        "outbound_credentials": credentials(revision.credentials),
        "transport": transport(revision.transport),
        "answers": revision.answers,
        "retry_schedule": None if schedule is None else list(schedule),
        "request_timeout": revision.retry.timeout_s,
        "max_age": revision.retry.max_age_s,
        "concurrency": revision.limits.concurrency,
        "rate_limit": revision.limits.rate_per_s,
        "result_deadline": revision.result_deadline_s,
        "headers": [header(one) for one in revision.headers],
        "filter": revision.filter,
        "validate_payloads": revision.validate_payloads,
        "order_require_form_fields": revision.order_require_form_fields,
        "order_form_fields": [
            outputs.OrderFormField(name=one.name, label=one.label, type=one.type, required=one.required)
            for one in revision.order_form_fields
        ],
        "open_id_connect_configuration": open_id_connect(revision.open_id_connect),
        "bookmark_configuration": bookmark(revision.bookmark),
    }


def credentials(stored: OutboundCredentials) -> outputs.OutboundCredentials:
    return outputs.OutboundCredentials(
        type=stored.type,
        client_id=stored.client_id or None,
        client_secret=_masked(stored.client_secret),
        token_uri=stored.token_uri or None,
        grant_type=GrantType(stored.grant_type),
        scope=stored.scope,
        audience=stored.audience,
        resource=stored.resource,
        auth_method=stored.auth_method,
        private_key=_masked(stored.private_key),
        key_id=stored.key_id,
    )


def transport(stored: Transport) -> outputs.Transport | None:
    if not stored.is_set:
        return None
    return outputs.Transport(
        client_certificate=stored.client_certificate or None,
        client_certificates=certificates(stored.client_certificate),
        private_key=_masked(stored.private_key),
        ca_certificates=stored.ca_certificates or None,
        certificate_authorities=certificates(stored.ca_certificates),
        proxy_url=stored.proxy_url or None,
        proxy_username=stored.proxy_username or None,
        proxy_password=_masked(stored.proxy_password),
    )


def certificates(pem: str) -> list[outputs.Certificate]:
    found = [certificate_facts(one) for one in read_certificates(pem)] if pem else []
    return [
        outputs.Certificate(
            subject=one.subject,
            issuer=one.issuer,
            fingerprint=one.fingerprint,
            not_before=iso_ms(one.not_before_ms),
            not_after=iso_ms(one.not_after_ms),
        )
        for one in found
    ]


def header(stored: Header) -> outputs.Header:
    value = MASK if stored.secret else stored.value
    return outputs.Header(name=stored.name, value=value, secret=stored.secret)


def open_id_connect(stored: OpenIdConnect | None) -> outputs.OpenIdConnectConfiguration | None:
    if stored is None:
        return None
    return outputs.OpenIdConnectConfiguration(
        client_creation_method=ClientCreationMethod(stored.client_creation_method),
        grant_types=[OpenIdGrantType(one) for one in stored.grant_types],
        redirect_urls=list(stored.redirect_urls),
        allow_oidc_scope=stored.allow_oidc_scope,
        allow_user_scopes=stored.allow_user_scopes,
        allow_role_scopes=stored.allow_role_scopes,
        initiate_login_url=stored.initiate_login_url,
        logout_url=stored.logout_url,
    )


def bookmark(stored: Bookmark | None) -> outputs.BookmarkConfiguration | None:
    return outputs.BookmarkConfiguration(landing_url=stored.landing_url) if stored else None


def inbound_client(stored: InboundClient | None) -> outputs.InboundClient | None:
    if stored is None:
        return None
    return outputs.InboundClient(client_id=stored.client_id, client_secret=MASK, created_on=EpochMs(stored.created_ms))


def signing_secret(stored: SigningSecret) -> outputs.SigningSecret:
    return outputs.SigningSecret(
        secret=MASK, created_on=iso_ms(stored.created_ms), not_after=_moment(stored.not_after_ms)
    )


def signing_key(stored: SigningSecret) -> outputs.SigningKey:
    return outputs.SigningKey(
        kid=published_key(stored.public_key)["kid"] if stored.public_key else None,
        algorithm=stored.algorithm,
        public_key=stored.public_key,
        created_on=iso_ms(stored.created_ms),
        not_after=_moment(stored.not_after_ms),
    )


def signing_key_rotation(stored: SigningRotation | None) -> outputs.SigningKeyRotation | None:
    if stored is None:
        return None
    return outputs.SigningKeyRotation(
        every_days=stored.every_days, overlap_seconds=stored.overlap_s, next_rotation_on=iso_ms(stored.next_ms)
    )


def _masked(sealed: str) -> str | None:
    return MASK if sealed else None


def _moment(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else iso_ms(epoch_ms)
