"""Metadata and keys as an identity provider gives them: checked, and as far as they are used. Fetches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from dispatcher.errors import RequestError

log = structlog.get_logger("dispatcher.console")


@dataclass(eq=False)
class ProviderFailed(RequestError):
    """502: the provider did not answer, or not as OpenID Connect has it."""

    status: int = 502

    @classmethod
    def because(cls, why: str) -> ProviderFailed:
        log.warning("the identity provider fails", reason=why)
        text = "The identity provider does not answer as it should; try again, or sign in with an API client."
        return cls.of("sign_in_unavailable", text)


@dataclass(frozen=True, slots=True)
class Metadata:
    """OpenID Connect Discovery §3, as far as it is used."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    scopes: frozenset[str]
    auth_methods: frozenset[str]
    says_issuer: bool
    """It names itself where it sends people back (RFC 9207)."""


def metadata_of(said: Mapping[str, Any], issuer: str) -> Metadata:
    if said.get("issuer") != issuer:
        raise ProviderFailed.because(f"it calls itself {str(said.get('issuer'))[:200]!r}, not {issuer!r}")
    needed = {name: said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    userinfo = said.get("userinfo_endpoint")
    for name, url in {**needed, "userinfo_endpoint": userinfo or issuer}.items():
        if not isinstance(url, str) or not url.startswith(("https://",) if issuer.startswith("https:") else "http"):
            raise ProviderFailed.because(f"its {name} is no usable URL")
    return Metadata(
        **{name: str(url) for name, url in needed.items()},
        userinfo_endpoint=userinfo,
        scopes=_names(said.get("scopes_supported", ("openid", "profile", "email"))),
        auth_methods=_names(said.get("token_endpoint_auth_methods_supported", ("client_secret_basic",))),
        says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
    )


def _names(value: object) -> frozenset[str]:
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list | tuple) else frozenset()


def key_set_of(said: Mapping[str, Any]) -> KeySet:
    """The keys that can be read; a provider may have others, for other uses."""
    keys = []
    for one in said.get("keys") or ():
        if isinstance(one, dict) and one.get("use") == "enc":
            continue
        try:
            keys.extend(KeySet.import_key_set({"keys": [one]}).keys)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    if not keys:
        raise ProviderFailed.because("its jwks_uri has no usable key")
    return KeySet(keys)
