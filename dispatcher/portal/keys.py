"""Keys that sign an integration's notifications: which ones sign until when, a new one, and how to verify with them.

A secret is shown once, in the answer to the rotation that made it.
"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from dispatcher.api.oauth.routes import OAUTH
from dispatcher.errors import Conflict
from dispatcher.flow.integrations.credentials.rotate_secret import Rotated, rotate_secret
from dispatcher.model.integration import SigningAlgorithm
from dispatcher.pages.fields import Field, Kind, Option, checked, marked, typed
from dispatcher.pages.forms import Sent
from dispatcher.portal.developer import HOME, Developer
from dispatcher.portal.session import life_of
from dispatcher.portal.snippets import snippets
from dispatcher.store.audit_log.log import Noting

KEYS = f"{HOME}/keys"
OVERLAPS = ("86400", "3600", "604800", "0")
"""Seconds; the first unless chosen otherwise."""


async def show_keys(request: web.Request, developer: Developer) -> web.StreamResponse:
    return _page(developer, _fields(developer))


async def rotate(request: web.Request, developer: Developer, sent: Sent) -> web.StreamResponse:
    """200 with the new key. 409 for a copy of the form that was sent before: reloading rotates nothing."""
    fields = typed(_fields(developer), sent.fields)
    if wrong := checked(fields, sent.fields, developer.t):
        return _page(developer, marked(fields, wrong), status=422)
    services = developer.services
    if not await request.app[OAUTH].revoked.spend(f"portal-{sent.once}", int(life_of(services).whole_s)):
        raise Conflict.of("sent_twice", developer.t.plain("portal.keys.twice"))
    noting = Noting(services.audit, developer.author, "rotateSigningSecret", developer.now_ms)
    rotated = await rotate_secret(
        services.definitions.noted(noting),
        services.sealer,
        developer.integration.id,
        developer.now_ms,
        float(sent.fields["overlap"]),
        SigningAlgorithm(sent.fields["algorithm"]),
    )
    developer = replace(developer, integration=rotated.integration)
    return _page(developer, _fields(developer), rotated)


def _page(
    developer: Developer, fields: tuple[Field, ...], rotated: Rotated | None = None, status: int = 200
) -> web.Response:
    signing = [one for one in developer.integration.signing_secrets if one.signs_at(developer.now_ms)]
    integration_id, base_url = developer.integration.id, developer.services.deployment.base_url
    public = rotated.public_key if rotated else next((one.public_key for one in signing if one.public_key), None)
    return developer.page(
        "keys.html",
        status,
        fields=fields,
        signing=signing,
        rotated=rotated,
        snippets=snippets(base_url, integration_id, rotated.signing_secret if rotated else None, public),
    )


def _fields(developer: Developer) -> tuple[Field, ...]:
    t = developer.t
    algorithms = tuple(
        Option(one.value, t.plain(f"portal.keys.{one.value.lower()}"), t.plain(f"portal.keys.{one.value.lower()}_hint"))
        for one in SigningAlgorithm
    )
    overlaps = tuple(Option(one, t.plain(f"portal.keys.overlap_{one}")) for one in OVERLAPS)
    return (
        Field(
            "algorithm",
            t.plain("portal.keys.algorithm"),
            Kind.CHOICE,
            SigningAlgorithm.HMAC.value,
            required=True,
            options=algorithms,
        ),
        Field(
            "overlap",
            t.plain("portal.keys.overlap"),
            Kind.CHOICE,
            OVERLAPS[0],
            required=True,
            options=overlaps,
            hint=t.plain("portal.keys.overlap_hint"),
        ),
    )
