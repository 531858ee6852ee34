"""A connector's properties in URLs: variables are filled, ``Url`` puts another origin in the place of the first. Pure.

Whatever comes of it is a URL like any other, and is judged like any other afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from dispatcher.policy.unknown_fields import near_name

ORIGIN_PROPERTY = "Url"
"""The property that names scheme, host and port."""

_VARIABLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]{0,63})\}")
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/?#]*)(.*)", re.DOTALL)
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LITERAL_LABELS = 2
_DOTS = frozenset({".", ".."})


class Unfillable(ValueError):
    """The reason why a URL cannot be made, in a sentence that names the property."""


@dataclass(frozen=True, slots=True)
class Filled:
    """``moved``: it goes to an origin that the publisher did not write down."""

    url: str
    moved: bool = False


def variables(url: str) -> tuple[str, ...]:
    return tuple(_VARIABLE.findall(url)) if "{" in url else ()


def host_variables(url: str) -> tuple[str, ...]:
    """Those that name a host or a part of it."""
    parts = _PARTS.fullmatch(url)
    return variables(parts[2]) if parts else ()


def names_a_host(name: str, urls: Iterable[str]) -> bool:
    """True for a property that decides where credentials go."""
    return name == ORIGIN_PROPERTY or any(name in host_variables(url) for url in urls)


def origin_of(url: str) -> str | None:
    """``https://host[:port]`` in lower case, without the scheme's own port; None for what is no http or https URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None and port != usual else "")


def origin_refusal(value: str, urls: Iterable[str] = ()) -> str | None:
    """The reason why ``value`` cannot be the origin of ``urls``; None = it can."""
    parts = _PARTS.fullmatch(value)
    origin = origin_of(value)
    if parts is None or origin is None or "@" in parts[2] or parts[3] not in ("", "/"):
        return "Give an origin only, such as https://shop.example.com: no user, path, query or fragment."
    if origin.startswith("http:") and any(url.lower().startswith("https:") for url in urls):
        return "The integration is reached over https: give an https address."
    return None


def fill(url: str, properties: Mapping[str, str]) -> Filled:
    """The URL that a request goes to. Raises ``Unfillable``."""
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise Unfillable("the URL is not absolute")
    scheme, authority, rest = parts[1], parts[2], parts[3]
    filled_rest = _VARIABLE.sub(lambda found: _path_value(found[1], properties), rest)
    moved_to = properties.get(ORIGIN_PROPERTY)
    if not moved_to:
        return Filled(scheme + _filled_host(authority, properties) + filled_rest)
    if why := origin_refusal(moved_to, [url]):
        raise Unfillable(f"the property {ORIGIN_PROPERTY} cannot be used: {why}")
    origin = moved_to.rstrip("/")
    own = None if variables(authority) else origin_of(url)
    return Filled(origin + (filled_rest or "/"), moved=origin_of(origin) != own)


def unfillable(url: str, properties: Mapping[str, str]) -> str | None:
    """The reason why ``fill`` would refuse, or None."""
    try:
        fill(url, properties)
    except Unfillable as error:
        return str(error)
    return None


def _filled_host(authority: str, properties: Mapping[str, str]) -> str:
    if not variables(authority):
        return authority
    host, _, port = authority.partition(":")
    labels = host.split(".")
    open_labels = [at for at, label in enumerate(labels) if variables(label)]
    if "{" in port or "@" in authority or not open_labels or len(labels) - 1 - open_labels[-1] < _LITERAL_LABELS:
        raise Unfillable("variables of a host stand before two fixed names, as in https://{Subdomain}.example.com")
    for at in open_labels:
        labels[at] = _VARIABLE.sub(lambda found: _needed(found[1], properties), labels[at])
        if not _LABEL.fullmatch(labels[at]):
            raise Unfillable("a property of the host is no single name of letters, digits and hyphens")
    return ".".join(labels) + (f":{port}" if port else "")


def _path_value(name: str, properties: Mapping[str, str]) -> str:
    value = _needed(name, properties)
    if value in _DOTS:
        raise Unfillable(f"the property {name} would leave the path")
    return quote(value, safe="")


def meant(name: str, properties: Mapping[str, str]) -> str:
    """Words about a property that was probably meant to be ``name``; empty where none is like it."""
    near = near_name(name, [one for one in properties if one != name])
    if near is None:
        return ""
    if near.lower() == name.lower():
        return f"; {near} is another: small letters and capitals differ"
    return f", not {near}"


def _needed(name: str, properties: Mapping[str, str]) -> str:
    value = properties.get(name)
    if not value:
        hint = meant(name, properties)
        raise Unfillable(f"the variable {{{name}}} has no value: give the connector a property {name}{hint}")
    return value
