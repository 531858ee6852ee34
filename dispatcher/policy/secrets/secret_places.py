"""Places that a saved secret may go to: those that it was saved for. Pure.

A secret can be given by whoever may write an integration, and read back by nobody. So no edit has it sent where whoever
gave it did not say: neither the secret itself nor a token that was got with it. The places are kept with the secret:
a comparison with the version before would fall to two steps, clearing the URL first and giving another one later.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

from dispatcher.model.integration import AuthMethod, CredentialType, OutboundCredentials, Revision, Transport
from dispatcher.policy.addresses.url_properties import origin_of

CLIENT_SECRET = "outboundCredentials.clientSecret"  # noqa: S105 - a field
PRIVATE_KEY = "outboundCredentials.privateKey"
TRANSPORT_KEY = "transport.privateKey"
PROXY_PASSWORD = "transport.proxyPassword"  # noqa: S105 - a field
_HEADER = "headers."

Place = frozenset[str]
"""Everything that decides where a secret goes and who may look at it on the way, in words. Less is no other place."""


def header(name: str) -> str:
    """The name of a custom header's value among the secrets."""
    return _HEADER + name.lower()


def places(revision: Revision) -> dict[str, Place]:
    """Each secret that the revision holds, and its place as the revision would send it now."""
    credentials, transport = revision.credentials, revision.transport
    hosts = frozenset(_hosts(revision)) | _way(transport)
    held = {
        CLIENT_SECRET: (credentials.client_secret, _of_client_secret(credentials, hosts)),
        PRIVATE_KEY: (credentials.private_key, _of_private_key(credentials, hosts)),
        TRANSPORT_KEY: (transport.private_key, hosts if _is_by_certificate(credentials) else frozenset()),
        PROXY_PASSWORD: (transport.proxy_password, frozenset(_proxy(transport))),
    } | {header(one.name): (one.value, hosts) for one in revision.headers if one.secret}
    return {name: place for name, (sealed, place) in held.items() if sealed}


def bound(revision: Revision) -> dict[str, Place]:
    """Each secret that the revision holds, and the place that it was saved for.

    One that was saved before places were kept is bound to the place that it has in this record.
    """
    kept = revision.places
    return {name: frozenset(kept.get(name, place)) for name, place in places(revision).items()}


def rebound(before: Revision, after: Revision, given: frozenset[str]) -> tuple[Revision, dict[str, Place]]:
    """``after`` with the places of its secrets, and of those that moved what is new to them.

    ``given``: secrets that the edit gives again, which are saved for wherever they go now.
    """
    known, now = bound(before), places(after)
    kept = {name: place if name in given else known.get(name, place) for name, place in now.items()}
    moved = {name: place - kept[name] for name, place in now.items() if not place <= kept[name]}
    return replace(after, places={name: tuple(sorted(place)) for name, place in kept.items()}), moved


def misplaced(revision: Revision) -> list[str]:
    """Secrets that the revision would send where they were not saved for."""
    known = bound(revision)
    return [name for name, place in places(revision).items() if not place <= known[name]]


def _hosts(revision: Revision) -> Iterator[str]:
    for url in revision.urls.values():
        yield f"the host {origin_of(url) or url}"


def _way(transport: Transport) -> Place:
    """Parties that can look at a request on its way: the proxy, and authorities that vouch for whom it names a host."""
    authorities = "".join(transport.ca_certificates.split())
    digest = hashlib.sha256(authorities.encode()).hexdigest()[:16]
    return frozenset({*_proxy(transport), *([f"the authorities {digest}"] if authorities else ())})


def _proxy(transport: Transport) -> Iterator[str]:
    if transport.proxy_url:
        yield f"the proxy {origin_of(transport.proxy_url) or transport.proxy_url}"


def _token_endpoint(credentials: OutboundCredentials) -> Place:
    return frozenset({f"the token endpoint {origin_of(credentials.token_uri) or credentials.token_uri}"})


def _of_client_secret(credentials: OutboundCredentials, hosts: Place) -> Place:
    """Basic goes to the hosts; a client secret to the token endpoint, and the token that it gets to the hosts."""
    if credentials.type is CredentialType.BASIC:
        return hosts | {"the hosts themselves"}
    method = credentials.auth_method
    if credentials.type is not CredentialType.OAUTH2 or method is AuthMethod.PRIVATE_KEY_JWT or method.by_certificate:
        return frozenset()
    return hosts | _token_endpoint(credentials) | {f"the method {AuthMethod(method).value}"}


def _of_private_key(credentials: OutboundCredentials, hosts: Place) -> Place:
    if credentials.type is not CredentialType.OAUTH2 or credentials.auth_method is not AuthMethod.PRIVATE_KEY_JWT:
        return frozenset()
    named = {"the audience": credentials.audience, "the assertion's audience": credentials.assertion_audience}
    audiences = frozenset(f"{what} {audience}" for what, audience in named.items() if audience)
    return hosts | _token_endpoint(credentials) | audiences


def _is_by_certificate(credentials: OutboundCredentials) -> bool:
    """The key itself is never sent; the token that it gets is."""
    return credentials.type is CredentialType.OAUTH2 and credentials.auth_method.by_certificate


def in_words(place: Place) -> str:
    """A text that stays short."""
    found = sorted(place)
    return ", ".join(one[:200] for one in found[:3]) + (", …" if len(found) > 3 else "")
