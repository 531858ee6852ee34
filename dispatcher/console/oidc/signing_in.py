"""Signing in at the identity provider: there by a link, back with a code, in with the role that the groups have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from aiohttp import web
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from dispatcher.api.services import SERVICES
from dispatcher.console.frame.rendering import page
from dispatcher.console.frame.screen import SIGN_IN, own_path, redirect
from dispatcher.console.oidc.id_token import TokenRefused, UnknownKey, claims_of
from dispatcher.console.oidc.metadata import Metadata
from dispatcher.console.oidc.pending import Pending, keep, pending_in
from dispatcher.console.oidc.person import Person, person_of
from dispatcher.console.oidc.provider import PROVIDER, Tokens
from dispatcher.console.sessions.signing_in import begin
from dispatcher.console.signed_in.provider import OIDC
from dispatcher.console.signed_in.session import ConsoleSession
from dispatcher.errors import Refused
from dispatcher.policy.sign_in_roles import role_of

START = f"{SIGN_IN}/oidc"
CALLBACK = f"{START}/callback"
MAX_CODE_CHARS = 4096
GROUPS_SHOWN = 20
_NOT_VALID = (
    "The identity provider's answer is not valid here: it is not meant for this console, or has expired. Begin again; "
    "the log says why."
)
_SCOPES = ("openid", "profile", "email")

log = structlog.get_logger("dispatcher.console")


async def start(request: web.Request) -> web.StreamResponse:
    """303 to the provider. A link, since forms of these pages may lead nowhere else. ``again``: asks who it is anew."""
    oidc, metadata = request.app[OIDC], await request.app[PROVIDER].metadata()
    pending = Pending.begun(own_path(request.query.get("next")), request.app[SERVICES].clock())
    wanted = [one for one in (*_SCOPES, oidc.claim) if one == "openid" or one in metadata.scopes]
    response = redirect(
        prepare_grant_uri(
            metadata.authorization_endpoint,
            oidc.client_id,
            "code",
            redirect_uri=oidc.redirect_uri,
            scope=" ".join(wanted),
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
            prompt="login" if "again" in request.query else None,
        )
    )
    keep(request, response, pending)
    return response


async def finish(request: web.Request) -> web.StreamResponse:
    """303 to the page that was wanted; 403 for whoever has no role, or did not begin this."""
    pending = pending_in(request)
    if pending is None or not pending.is_answered_by(request.query.get("state"), request.app[SERVICES].clock()):
        raise _refused("This sign-in was begun in another window, or too long ago: begin again.")
    claims = await _claims(request, pending)
    oidc = request.app[OIDC]
    person = person_of(claims, oidc.claim)
    role = role_of(person.groups, oidc.roles)
    if role is None:
        log.warning("signed in elsewhere without a role here", client=person.client_id, groups=person.groups)
        response = _stranger(request, person)
    else:
        log.info("signed in elsewhere", client=person.client_id, role=role.text)
        now_s = request.app[SERVICES].clock()
        session = ConsoleSession.begun(person.client_id, oidc.stamp, now_s, name=person.name, role=role.text)
        response = await begin(request, session, pending.wanted)
    keep(request, response, None)
    return response


async def _claims(request: web.Request, pending: Pending) -> dict[str, Any]:
    """All that the provider says of the person: its token first, then whatever else it has where groups are missing."""
    provider, oidc = request.app[PROVIDER], request.app[OIDC]
    code = _code(request.query, await provider.metadata(), oidc.issuer)
    tokens = await provider.exchange(code, pending.verifier)
    try:
        claims = await _checked(request, tokens, pending.nonce)
    except (TokenRefused, UnknownKey) as error:
        log.warning("an ID token was refused", reason=str(error))
        raise _refused(_NOT_VALID) from None
    if oidc.claim in claims or tokens.access_token is None:
        return claims
    told = await provider.userinfo(tokens.access_token)
    if told and told.get("sub") != claims["sub"]:
        log.warning("userinfo is of somebody else", subject=claims["sub"])
        raise _refused(_NOT_VALID)
    return told | claims


async def _checked(request: web.Request, tokens: Tokens, nonce: str) -> dict[str, Any]:
    """Claims of the ID token; keys are asked for once more when it names one that is not known."""
    provider, oidc, now_s = request.app[PROVIDER], request.app[OIDC], request.app[SERVICES].clock()
    for newer in (False, True):
        keys = await provider.keys(newer=newer)
        try:
            return claims_of(
                tokens.id_token,
                keys,
                issuer=oidc.issuer,
                client_id=oidc.client_id,
                nonce=nonce,
                access_token=tokens.access_token,
                now_s=now_s,
            )
        except UnknownKey:
            if newer:
                raise
    raise AssertionError("one of both returns or raises")


def _code(query: Mapping[str, str], metadata: Metadata, issuer: str) -> str:
    """The code of an answer that is the issuer's own (RFC 9207)."""
    named = query.get("iss")
    if named != issuer and (named is not None or metadata.says_issuer):
        raise _refused("The answer is not of the identity provider that was asked; begin again.")
    if error := query.get("error"):
        log.info("signing in elsewhere failed", error=error[:100], description=query.get("error_description", "")[:300])
        raise _refused("The identity provider did not let you in. Begin again, or ask whoever runs it.")
    code = query.get("code", "")
    if not 0 < len(code) <= MAX_CODE_CHARS:
        raise _refused("The identity provider gave no code; begin again.")
    return code


def _stranger(request: web.Request, person: Person) -> web.Response:
    """403: who it is, and that no group of it has a role here."""
    values = {
        "person": person,
        "groups": person.groups[:GROUPS_SHOWN],
        "more": max(0, len(person.groups) - GROUPS_SHOWN),
        "host": request.app[OIDC].host,
        "claim": request.app[OIDC].claim,
        "client_id": None,
    }
    return page("no-role.html", values, 403)


def _refused(text: str) -> Refused:
    return Refused.of("sign_in_refused", text)
