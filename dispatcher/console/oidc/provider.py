"""The identity provider over HTTP: its metadata, keys, tokens and what it tells of a person. Believes no token itself.

authlib says what is sent, aiohttp sends it: to the issuer of the settings, and to addresses that this one names.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson
from aiohttp import hdrs, web
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from joserfc.jwk import KeySet

from dispatcher.clock import Clock
from dispatcher.console.oidc.metadata import Metadata, ProviderFailed, key_set_of, metadata_of
from dispatcher.console.signed_in.provider import Oidc
from dispatcher.policy.addresses.proxies import ProxyAddress

TIMEOUT_S = 10.0
MAX_BYTES = 512 * 1024
GOOD_S = 600.0
"""Metadata and keys are asked for again after this long."""
RETRY_S = 5.0
"""A provider that did not answer is left alone for so long, and so is one that has no key of that name."""
_KEPT = "!*'()~-._"


@dataclass(frozen=True, slots=True)
class Tokens:
    id_token: str
    access_token: str | None


class Provider:
    """One per process; ``close`` it at the end."""

    def __init__(self, oidc: Oidc, clock: Clock) -> None:
        self._oidc = oidc
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._turn = asyncio.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None
        self._failed_s = float("-inf")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def metadata(self) -> Metadata:
        async with self._turn:
            now_s = self._clock()
            if self._metadata is None or now_s - self._metadata[0] > GOOD_S:
                self._metadata = (now_s, await self._discovered(now_s))
            return self._metadata[1]

    async def _discovered(self, now_s: float) -> Metadata:
        if now_s - self._failed_s < RETRY_S:
            raise ProviderFailed.because("it did not answer a moment ago")
        try:
            said = await self._ask("GET", self._oidc.issuer.rstrip("/") + "/.well-known/openid-configuration")
            return metadata_of(said, self._oidc.issuer)
        except ProviderFailed:
            self._failed_s = now_s
            raise

    async def keys(self, *, newer: bool = False) -> KeySet:
        """Its public keys. ``newer``: a token names one that is not among those that are known."""
        metadata = await self.metadata()
        async with self._turn:
            now_s = self._clock()
            good_s = RETRY_S if newer else GOOD_S
            if self._keys is None or now_s - self._keys[0] > good_s:
                self._keys = (now_s, key_set_of(await self._ask("GET", metadata.jwks_uri)))
            return self._keys[1]

    async def exchange(self, code: str, verifier: str) -> Tokens:
        """Tokens for a code (OpenID Connect Core §3.1.3.1)."""
        metadata, oidc = await self.metadata(), self._oidc
        form = prepare_token_request(
            "authorization_code", code=code, redirect_uri=oidc.redirect_uri, code_verifier=verifier
        )
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url, headers, body = _client_auth(oidc, metadata).prepare("POST", metadata.token_endpoint, headers, form)
        answer = await self._ask("POST", url, headers, body.encode())
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str):
            raise ProviderFailed.because("its token endpoint gave no id_token")
        return Tokens(id_token, access_token if isinstance(access_token, str) else None)

    async def userinfo(self, access_token: str) -> dict[str, Any]:
        """Claims of the person (OpenID Connect Core §5.3); none where it has no such endpoint."""
        endpoint = (await self.metadata()).userinfo_endpoint
        if endpoint is None:
            return {}
        return await self._ask("GET", endpoint, {"Authorization": f"Bearer {access_token}"})

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> dict[str, Any]:
        """The JSON object that it answers with 200."""
        where = urlsplit(url).path
        try:
            async with self._connected().request(
                method,
                url,
                data=body,
                headers={"Accept": "application/json", **(headers or {})},
                allow_redirects=False,
                proxy_headers=_proxy_headers(self._oidc.proxy),
            ) as answer:
                text = await _whole(answer)
                status = answer.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ProviderFailed.because(f"{where}: {type(error).__name__}") from None
        if status != 200:
            raise ProviderFailed.because(f"{where} answered {status}")
        try:
            read = orjson.loads(text)
        except orjson.JSONDecodeError:
            read = None
        if not isinstance(read, dict):
            raise ProviderFailed.because(f"{where} answered no JSON object")
        return read

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=ssl.create_default_context()),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=self._oidc.proxy.url if self._oidc.proxy else None,
            )
        return self._session


PROVIDER = web.AppKey("oidc_provider", Provider)


async def _whole(answer: aiohttp.ClientResponse) -> bytes:
    """The body, unless it is too long to be what was asked for."""
    text = b""
    async for chunk in answer.content.iter_any():
        text += chunk
        if len(text) > MAX_BYTES:
            raise ValueError("too long")
    return text


def _proxy_headers(proxy: ProxyAddress | None) -> dict[str, str]:
    if proxy is None or not proxy.username:
        return {}
    return {hdrs.PROXY_AUTHORIZATION: aiohttp.encode_basic_auth(proxy.username, proxy.password)}


def _client_auth(oidc: Oidc, metadata: Metadata) -> ClientAuth:
    if not oidc.client_secret:
        return ClientAuth(oidc.client_id, "", "none")
    if "client_secret_basic" not in metadata.auth_methods and "client_secret_post" in metadata.auth_methods:
        return ClientAuth(oidc.client_id, oidc.client_secret, "client_secret_post")
    pair = (quote(one, safe=_KEPT) for one in (oidc.client_id, oidc.client_secret))
    return ClientAuth(*pair, "client_secret_basic")
