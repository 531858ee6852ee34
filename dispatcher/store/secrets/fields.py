"""The context of each sealed field, so that no ciphertext opens in another place.

Whoever seals and whoever opens asks here for the context; nothing else spells one.
"""

from __future__ import annotations

ACCESS_TOKEN_KEY = "oauth2:signing-key"  # noqa: S105 - a context
"""The private key that signs the access tokens that we give out."""


def client_secret(integration_id: str) -> str:
    """``credentials.client_secret``; for BASIC the password."""
    return f"integration:{integration_id}:clientSecret"


def private_key(integration_id: str) -> str:
    """``credentials.private_key``."""
    return f"integration:{integration_id}:privateKey"


def transport_key(integration_id: str) -> str:
    """``transport.private_key``, of the client certificate."""
    return f"integration:{integration_id}:transportKey"


def proxy_password(integration_id: str) -> str:
    """``transport.proxy_password``."""
    return f"integration:{integration_id}:proxyPassword"


def header_value(integration_id: str, name: str) -> str:
    """The value of a secret custom header; the name's case does not matter."""
    return f"integration:{integration_id}:header:{name.lower()}"


def signing_secret(integration_id: str) -> str:
    """Every entry of ``signing_secrets``."""
    return f"integration:{integration_id}:signingSecret"


def marketplace_signing_secret(marketplace_id: int) -> str:
    """Every entry of a marketplace's ``signing_secrets``."""
    return f"marketplace:{marketplace_id}:signingSecret"


def template_client_secret(template_id: int) -> str:
    """``oauth.client_secret`` of a connector template."""
    return f"template:{template_id}:clientSecret"


def connector_auth_value(connector_id: int) -> str:
    """``auth_value`` of an account's connector; with OAuth its access token."""
    return f"connector:{connector_id}:authValue"


def connector_refresh_token(connector_id: int) -> str:
    """``refresh_token`` of an account's connector."""
    return f"connector:{connector_id}:refreshToken"


def installation_setting(installation_id: str) -> str:
    """Every secret among the settings of an installation."""
    return f"installation:{installation_id}:setting"
