"""The identity provider of the console, put together from the settings."""

from __future__ import annotations

from dispatcher.console.oidc.signing_in import CALLBACK
from dispatcher.console.signed_in.provider import Oidc
from dispatcher.policy.addresses.proxies import ProxyAddress, read_proxy
from dispatcher.policy.sign_in_roles import read_group_role
from dispatcher.settings import Settings


def oidc_of(settings: Settings) -> Oidc | None:
    """None where people sign in with API clients only."""
    if settings.console_oidc_issuer is None:
        return None
    secret, proxy = settings.console_oidc_client_secret, settings.proxy_url
    through = read_proxy(proxy.get_secret_value()) if proxy else None
    return Oidc(
        issuer=settings.console_oidc_issuer,
        client_id=settings.console_oidc_client_id or "",
        client_secret=secret.get_secret_value() if secret else "",
        claim=settings.console_oidc_claim,
        roles=tuple(read_group_role(text) for text in settings.console_oidc_roles),
        redirect_uri=settings.base_url + CALLBACK,
        proxy=through if isinstance(through, ProxyAddress) else None,
    )
