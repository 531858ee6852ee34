"""Sign-on to a product: OpenID Connect or a bookmark, never both. Stores it; calls no identity provider.

Addresses in these configurations are opened by a browser, not by this program. A word in the place of one, such as
YOUR_LOGOUT_URL, and a scheme of an app's own, are accepted and named in a warning; what a browser would take
elsewhere is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dispatcher.errors import Conflict, Problem, RequestError, Unprocessable
from dispatcher.model.integration import Bookmark, Integration, OpenIdConnect
from dispatcher.policy.addresses.launch_urls import MAX_URL_CHARS, launch_url
from dispatcher.store.definitions.editing import Definitions

MAX_REDIRECT_URLS = 100
_WORD = re.compile(r"[A-Za-z0-9_-]+")
"""No browser takes it for the name of another place: it has no dot, colon or slash."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_RUN_BY_BROWSERS = frozenset({"javascript", "data", "vbscript", "blob", "file", "about", "view-source"})


@dataclass(frozen=True, slots=True)
class Configured:
    """``warnings``: accepted, but will not do what was probably meant."""

    integration: Integration
    warnings: tuple[str, ...]


async def configure_open_id_connect(
    definitions: Definitions, any_id: str, wanted: OpenIdConnect, now_ms: int
) -> Configured:
    """Set or replace the OpenID Connect configuration of the WORKING version.

    Raises ``NotFound``; ``Conflict`` when there is a bookmark, or when the client creation method would change
    after the first publish; ``Unprocessable`` for addresses that a browser must not be sent to.
    """
    if problems := list(_problems(wanted)):
        raise Unprocessable(problems)
    frozen = await _published_method(definitions, any_id)
    if frozen is not None and frozen != wanted.client_creation_method:
        text = f"The client creation method was published as {frozen} and cannot be changed any more."
        raise Conflict.of("frozen_after_publish", text, "clientCreationMethod")

    def change(current: Integration) -> Integration:
        if current.working.bookmark is not None:
            raise _exclusive("a bookmark")
        return _with(current, now_ms, wanted, None)

    return Configured(await definitions.edit(any_id, change), tuple(_warnings(wanted)))


async def configure_bookmark(definitions: Definitions, any_id: str, landing_url: str, now_ms: int) -> Configured:
    """Set or replace the bookmark of the WORKING version. ``Conflict`` when there is OpenID Connect."""
    if refused := _refusal(landing_url):
        raise Unprocessable.of("invalid_url", f"A landing URL {refused}.", "landingUrl")

    def change(current: Integration) -> Integration:
        if current.working.open_id_connect is not None:
            raise _exclusive("OpenID Connect")
        return _with(current, now_ms, None, Bookmark(landing_url))

    return Configured(await definitions.edit(any_id, change), tuple(_not_a_url("landingUrl", landing_url)))


async def remove_single_sign_on(definitions: Definitions, any_id: str, now_ms: int) -> Integration:
    """Leave the WORKING version without OpenID Connect and without a bookmark."""
    return await definitions.edit(any_id, lambda current: _with(current, now_ms, None, None))


async def _published_method(definitions: Definitions, any_id: str) -> str | None:
    """The client creation method of the newest published revision, if that has OpenID Connect."""
    integration = await definitions.needed(any_id)
    if integration.published_revision is None:
        return None
    published = await definitions.revision(integration.id, integration.published_revision)
    if published is None or published.open_id_connect is None:
        return None
    return published.open_id_connect.client_creation_method


def _with(current: Integration, now_ms: int, oidc: OpenIdConnect | None, bookmark: Bookmark | None) -> Integration:
    working = replace(current.working, open_id_connect=oidc, bookmark=bookmark)
    return replace(current, working=working, modified_ms=now_ms)


def _exclusive(other: str) -> RequestError:
    text = f"The integration is configured with {other}; remove that first, it takes one kind of sign-on only."
    return Conflict.of("sso_exclusive", text, "integrationConfigurationId")


def _problems(wanted: OpenIdConnect) -> Iterator[Problem]:
    if len(wanted.redirect_urls) > MAX_REDIRECT_URLS:
        yield Problem("limit_reached", f"At most {MAX_REDIRECT_URLS} redirect URLs.", "redirectUrls")
    urls = {"initiateLoginUrl": wanted.initiate_login_url, "logoutUrl": wanted.logout_url}
    urls |= {f"redirectUrls.{n}": url for n, url in enumerate(wanted.redirect_urls)}
    for field, url in urls.items():
        if url is not None and (refused := _refusal(url)):
            yield Problem("invalid_url", f"A URL here {refused}.", field)


def _warnings(wanted: OpenIdConnect) -> Iterator[str]:
    if not wanted.allow_oidc_scope:
        yield "allowOidcScope is false: sign-on needs the scope openid, so set it to true before users sign in."
    for url in wanted.redirect_urls:
        yield from _not_a_url("redirectUrls", url)
    yield from _not_a_url("initiateLoginUrl", wanted.initiate_login_url)
    yield from _not_a_url("logoutUrl", wanted.logout_url)


def _not_a_url(field: str, text: str | None) -> Iterator[str]:
    if text is None:
        return
    try:
        parts = urlsplit(text)
        absolute = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        absolute = False
    if not absolute:
        yield f"{field} holds {text!r}, which is not an absolute http or https URL."


def _refusal(url: str) -> str | None:
    """The rule that an address breaks, or None. No text repeats anything of the address."""
    if not 1 <= len(url) <= MAX_URL_CHARS:
        return f"has 1 to {MAX_URL_CHARS} characters"
    if "\\" in url or any(char.isspace() or not char.isprintable() for char in url):
        return "has no blanks, backslashes or control characters"
    if _WORD.fullmatch(url):
        return None
    scheme = _SCHEME.match(url)
    if scheme is None or scheme[1].lower() in _RUN_BY_BROWSERS:
        return "starts with https:// or http://"
    if scheme[1].lower() in ("https", "http") and launch_url(url) is None:
        return "names a host after https:// or http://, without a user name before it"
    return None
