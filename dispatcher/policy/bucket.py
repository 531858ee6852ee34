"""Reads where object storage is: a bucket, and what names in it begin with. Never contacts anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

_URL = re.compile(r"s3://(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9])(?:/(?P<prefix>[A-Za-z0-9!_.*'()=/-]*))?")
_ENDPOINT = re.compile(r"https?://(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?/?")


@dataclass(frozen=True, slots=True)
class Bucket:
    """``endpoint`` and ``region`` empty: as the environment of AWS's tools says, else AWS itself.

    ``path_style``: the bucket is in the path, not in the host's name.
    """

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    path_style: bool = True

    @property
    def label(self) -> str:
        place = f"s3://{self.name}/{self.prefix}".rstrip("/")
        return f"{place} at {self.endpoint}" if self.endpoint else place


def read_bucket(url: str) -> tuple[str, str] | str:
    """Name and prefix of ``s3://bucket/prefix``, or what is wrong with it."""
    found = _URL.fullmatch(url)
    if not found:
        return "it is not s3://BUCKET or s3://BUCKET/PREFIX, in letters, digits and -_.!*'()="
    prefix = (found["prefix"] or "").removesuffix("/")
    if prefix and any(part in ("", ".", "..") for part in prefix.split("/")):
        return "a part of its prefix is empty, . or .."
    return found["name"], prefix


def read_endpoint(url: str) -> str | None:
    """The problem with the address of an S3-compatible server, in words that repeat nothing of it; None = none."""
    found = _ENDPOINT.fullmatch(url)
    if found and int(found["port"] or 0) < 1 << 16 and (not found["ipv6"] or _is_ipv6(found["ipv6"])):
        return None
    return "it is not http://HOST:PORT or https://HOST:PORT: without user, password, path and query"


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True
