"""The authorization server: authlib's core, one instance for each request, which holds what had to be awaited.

authlib asks for clients and tokens synchronously; whoever builds an ``Exchange`` has fetched both. Does no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from dispatcher.api.http.response.respond import json_response
from dispatcher.api.oauth.directory import Claimant
from dispatcher.api.oauth.form import Presented
from dispatcher.api.oauth.narrowing import Narrowed
from dispatcher.api.oauth.refusal import invalid_client
from dispatcher.api.oauth.registered import AUTH_METHODS, RegisteredClient
from dispatcher.api.oauth.tokens import AccessToken, AccessTokenMaker
from dispatcher.errors import InvalidRequest, Problem, RequestError


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """The form under an https address: TLS ends at a proxy, which authlib cannot see."""

    def __init__(self, path: str, presented: Presented) -> None:
        super().__init__("POST", f"https://dispatcher{path}")
        self.payload = BasicOAuth2Payload(presented.fields)
        self._fields = presented.fields

    @property
    def form(self) -> dict[str, str]:
        return self._fields


class Grant(ClientCredentialsGrant):  # type: ignore[misc]
    """RFC 6749 §4.4."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


class Exchange(AuthorizationServer):  # type: ignore[misc]
    """One request to one endpoint. ``token`` is the token that the form names, when it is ours and still good."""

    def __init__(
        self,
        maker: AccessTokenMaker,
        claimant: Claimant,
        token: AccessToken | None,
        narrowed: Narrowed | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._narrowed = narrowed
        self._told = told or {}
        self._claimant = claimant
        self.token = token
        self.revoked: AccessToken | None = None
        self.register_token_generator("default", maker)
        self.register_grant(Grant)

    def authenticate_client(self, request: FormRequest, methods: object, endpoint: str = "token") -> RegisteredClient:
        """The client that has proved who it is, by a secret or an assertion."""
        if self._claimant.principal is None or self._claimant.refusal is not None:
            raise self._claimant.refusal or invalid_client()
        return RegisteredClient(self._claimant.principal, self._narrowed)

    def create_oauth2_request(self, request: FormRequest) -> FormRequest:
        return request

    def get_token_grant(self, request: FormRequest) -> Grant:
        if not request.payload.grant_type:
            raise InvalidRequest.of("invalid_request", "Give the parameter grant_type.")
        return super().get_token_grant(request)  # type: ignore[no-any-return]

    def save_token(self, token: dict[str, Any], request: FormRequest) -> None:
        """A JWT needs no record."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> web.Response:
        kept = {name: value for name, value in headers if name.lower() != "content-type"}
        return json_response(body | self._told, status, kept)

    def handle_error_response(self, request: FormRequest, error: OAuth2Error) -> web.Response:
        raise as_request_error(error)


def as_request_error(error: OAuth2Error) -> RequestError:
    """An authlib error as one of ours, so that every error leaves through the same door; 400 (RFC 6749 §5.2)."""
    text = error.get_error_description() or "The request cannot be granted as it is."
    return RequestError([Problem(error.error, text)], 400)
