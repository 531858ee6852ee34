"""OAuth2 endpoints: token, JWKS, metadata (RFC 8414), revocation, introspection. Never grants anything itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from joserfc.jwk import KeySet

from dispatcher.api.http.request.origin import address_of
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Handler, Route
from dispatcher.api.oauth.assertion import used_before, verified
from dispatcher.api.oauth.directory import Claimant, Directory, Principal, one_matches
from dispatcher.api.oauth.endpoints import Introspection, Revocation
from dispatcher.api.oauth.form import Presented, read_form
from dispatcher.api.oauth.gate import Gate
from dispatcher.api.oauth.lockout import Lockout
from dispatcher.api.oauth.narrowing import Accounts
from dispatcher.api.oauth.refusal import invalid_client
from dispatcher.api.oauth.registered import AUTH_METHODS, GRANT_TYPE
from dispatcher.api.oauth.server import Exchange, FormRequest
from dispatcher.api.oauth.tokens import AccessToken, AccessTokenMaker, TokenReader
from dispatcher.api.services import SERVICES
from dispatcher.clock import Clock
from dispatcher.errors import RequestError
from dispatcher.model.access import Scope
from dispatcher.policy.secrets.client_key import ALGORITHMS
from dispatcher.store.secrets.signing_keys import RevokedTokens

EXCHANGE_PATH = "/oauth2/token"
PARTNER_EXCHANGE_PATH = "/oauth/token"
REVOKE_PATH = "/oauth2/revoke"
INTROSPECT_PATH = "/oauth2/introspect"
JWKS_PATH = "/oauth2/jwks"
METADATA_PATH = "/.well-known/oauth-authorization-server"

_CACHEABLE = {"Cache-Control": "public, max-age=300"}


@dataclass(frozen=True, slots=True)
class OAuthServer:
    """Parts of the authorization server. ``issuer`` is the public base URL."""

    issuer: str
    keys: KeySet
    maker: AccessTokenMaker
    reader: TokenReader
    directory: Directory
    revoked: RevokedTokens
    gate: Gate
    lockout: Lockout
    clock: Clock
    accounts: Accounts

    async def claimant(self, presented: Presented, path: str) -> Claimant:
        """The client whose secret it is, else whichever is known; each reading of the id is looked up and compared."""
        found = [await self.directory.find(client_id) for client_id in presented.client_ids]
        if presented.assertion is not None:
            principal = found[0]
            return Claimant(principal, await self._refusal(principal, presented.assertion, path))
        right = [one for one in found if one_matches(one, presented.secrets or ("",))]
        return Claimant(next((one for one in [*right, *found] if one), None), None if right else invalid_client())

    async def _refusal(self, principal: Principal | None, assertion: str, path: str) -> RequestError | None:
        """The reason that ``assertion`` does not prove to be ``principal``; None where it does, which uses it up."""
        if principal is None or principal.public_key is None:
            return invalid_client()
        audiences = {self.issuer, self.issuer + EXCHANGE_PATH, self.issuer + path}
        try:
            proof = verified(assertion, principal.client_id, principal.public_key, audiences, self.clock())
        except RequestError as error:
            return error
        return None if await self.revoked.spend(proof.use, proof.remembered_s) else used_before()

    async def token_in(self, presented: Presented) -> AccessToken | None:
        """The token that the form names, if it would be let in at this moment."""
        token = self.reader.read(presented.fields.get("token", ""), self.clock())
        if token is None or await self.revoked.contains(token.jti):
            return None
        owner = await self.directory.find(token.client_id)
        return token if owner and owner.stamp == token.stamp else None


OAUTH = web.AppKey("oauth", OAuthServer)

Authenticated = Callable[[web.Request, Presented], Awaitable[web.StreamResponse]]
"""A handler of whatever a client authenticates for with its secret."""


def behind_lockout(handler: Authenticated) -> Handler:
    """The handler, behind the lock-out for wrong secrets."""

    async def serve(request: web.Request) -> web.StreamResponse:
        lockout, deployment = request.app[OAUTH].lockout, request.app[SERVICES].deployment
        presented = await read_form(request)
        address = address_of(request, deployment.trusted_proxies)
        await lockout.check(address, *presented.client_ids)
        try:
            return await handler(request, presented)
        except RequestError as error:
            if error.status == 401:
                await lockout.wrong(address, *presented.client_ids)
            raise

    return serve


async def create_token(request: web.Request, presented: Presented) -> web.StreamResponse:
    """``scope=account:{AccountId}`` makes it one for that account only, for clients with ``marketplace:partner``."""
    return await _granted(request, presented)


async def create_partner_token(request: web.Request, presented: Presented) -> web.StreamResponse:
    """As POST /oauth2/token; the answer names the client as well, as host applications expect."""
    return await _granted(request, presented, named=True)


async def _granted(request: web.Request, presented: Presented, *, named: bool = False) -> web.StreamResponse:
    """``named``: the answer says which client it is."""
    server = request.app[OAUTH]
    claimant = await server.claimant(presented, request.path)
    principal = claimant.principal
    narrowed = await server.accounts.narrowed(principal, presented.fields.get("scope", ""))
    told = {"clientId": principal.client_id} if named and principal else None
    exchange = Exchange(server.maker, claimant, None, narrowed, told)
    answer: web.Response = exchange.create_token_response(FormRequest(request.path, presented))
    return answer


async def revoke(request: web.Request, presented: Presented) -> web.StreamResponse:
    """200 also for a token that is not ours or no longer good (RFC 7009 §2.2)."""
    server = request.app[OAUTH]
    exchange, form = await _about_a_token(request, presented)
    exchange.register_endpoint(Revocation)
    answer: web.Response = exchange.create_endpoint_response(Revocation.ENDPOINT_NAME, form)
    if exchange.revoked:
        await server.revoked.add(exchange.revoked.jti, int(exchange.revoked.expires_s - server.clock()) + 1)
        server.gate.forget(exchange.revoked.jti)
    return answer


async def introspect(request: web.Request, presented: Presented) -> web.StreamResponse:
    exchange, form = await _about_a_token(request, presented)
    exchange.register_endpoint(Introspection)
    answer: web.Response = exchange.create_endpoint_response(Introspection.ENDPOINT_NAME, form)
    return answer


async def _about_a_token(request: web.Request, presented: Presented) -> tuple[Exchange, FormRequest]:
    server = request.app[OAUTH]
    claimant, token = await server.claimant(presented, request.path), await server.token_in(presented)
    return Exchange(server.maker, claimant, token), FormRequest(request.path, presented)


async def jwks(request: web.Request) -> web.StreamResponse:
    return json_response(request.app[OAUTH].keys.as_dict(private=False), headers=_CACHEABLE)


async def metadata(request: web.Request) -> web.StreamResponse:
    """RFC 8414 §2."""
    issuer = request.app[OAUTH].issuer
    methods, algorithms = list(AUTH_METHODS), list(ALGORITHMS)
    document = {
        "issuer": issuer,
        "token_endpoint": issuer + EXCHANGE_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "revocation_endpoint": issuer + REVOKE_PATH,
        "introspection_endpoint": issuer + INTROSPECT_PATH,
        "scopes_supported": [scope.value for scope in Scope],
        "response_types_supported": ["none"],
        "grant_types_supported": [GRANT_TYPE],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "service_documentation": f"{issuer}/docs",
    }
    return json_response(document, headers=_CACHEABLE)


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        EXCHANGE_PATH,
        behind_lockout(create_token),
        None,
        "Get an access token (client credentials)",
        tag="oauth2",
    ),
    Route(
        "POST",
        PARTNER_EXCHANGE_PATH,
        behind_lockout(create_partner_token),
        None,
        "Get an access token, as host applications do",
        tag="oauth2",
    ),
    Route("POST", REVOKE_PATH, behind_lockout(revoke), None, "Revoke an access token (RFC 7009)", tag="oauth2"),
    Route(
        "POST", INTROSPECT_PATH, behind_lockout(introspect), None, "Look at an access token (RFC 7662)", tag="oauth2"
    ),
    Route("GET", JWKS_PATH, jwks, None, "Public keys of access tokens", tag="oauth2"),
    Route("GET", METADATA_PATH, metadata, None, "Authorization server metadata (RFC 8414)", tag="oauth2"),
)
