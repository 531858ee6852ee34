"""Segments as objects of a bucket that speaks S3. All calls block; no call lasts longer than the archive waits.

An object appears whole or not at all: one PUT each. Credentials come from where AWS's own tools take them, most often
``AWS_ACCESS_KEY_ID`` and ``AWS_SECRET_ACCESS_KEY``. What is throttled or not answered is tried again, gently.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from dispatcher.errors import ConfigurationError
from dispatcher.policy.bucket import Bucket
from dispatcher.store.archive.storage.files import IDENTITY
from dispatcher.store.archive.storage.interface import ASK_THE_DOCTOR, Span, Words
from dispatcher.store.archive.storage.refusals import BeyondTheEnd, refusal_of

CONNECT_WITHIN = timedelta(seconds=3)
ONCE_WITHIN = timedelta(seconds=5)
"""Longest time for one request."""
AGAIN_WITHIN = timedelta(seconds=4)
"""Time after which no other try begins."""
TRIES = 4
_FIRST_WAIT, _LONGEST_WAIT = timedelta(milliseconds=200), timedelta(seconds=2)
_PANIC = "pyo3_runtime"
"""The library ends so, and with no error of its own, where an address from the environment is none."""
_NO_ADDRESS = "AWS_ENDPOINT_URL is no address: correct it, or set DISPATCHER_ARCHIVE_ENDPOINT"
_PAIR = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_UNREADABLE = "a variable of the environment whose name begins with AWS_ cannot be read: is each true, false or a text?"


class ObjectStorage:
    """One bucket, or what is below a prefix of it. Raises ``ConfigurationError`` when it is made."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._store = _store_of(bucket)
        self._words = Words(
            bucket.label, "DISPATCHER_ARCHIVE_URL", "is it the right bucket and prefix?", ASK_THE_DOCTOR
        )

    @property
    def words(self) -> Words:
        return self._words

    def identity(self) -> str | None:
        try:
            return self.read(IDENTITY, 0, 100).decode().strip() or None
        except FileNotFoundError:
            return None

    def identify(self, identity: str) -> None:
        self.write(IDENTITY, identity.encode())

    def write(self, key: str, content: bytes) -> None:
        with self._told():
            obstore.put(self._store, key, content, use_multipart=False)

    def read(self, key: str, at: int, size: int) -> bytes:
        try:
            with self._told():
                return bytes(obstore.get_range(self._store, key, start=at, length=size))
        except BeyondTheEnd:
            return b""

    def read_each(self, spans: Mapping[str, Span]) -> Mapping[str, bytes]:
        return asyncio.run(self._read_each(spans))

    async def _read_each(self, spans: Mapping[str, Span]) -> Mapping[str, bytes]:
        asked = (obstore.get_range_async(self._store, key, start=at, length=size) for key, (at, size) in spans.items())
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return {key: bytes(one) for key, one in zip(spans, answers, strict=True) if not isinstance(one, BaseException)}

    def ages_s(self, partition: int, now_s: float) -> dict[str, float]:
        return dict(self._ages(str(partition), now_s))

    def _ages(self, folder: str, now_s: float) -> Iterator[tuple[str, float]]:
        with self._told():
            for some in obstore.list(self._store, folder):
                for one in some:
                    yield one["path"].rpartition("/")[2], now_s - one["last_modified"].timestamp()

    def delete(self, key: str) -> None:
        try:
            with self._told():
                obstore.delete(self._store, key)
        except FileNotFoundError:
            return

    def rehearse(self) -> None:
        name, content = secrets.token_hex(8), secrets.token_bytes(16)
        key = f"rehearsal/{name}"
        self.write(key, content)
        kept, listed = self.read(key, 0, len(content) + 1), dict(self._ages("rehearsal", 0.0))
        self.delete(key)
        if kept != content or name not in listed:
            raise OSError("it does not keep, or does not list, what is written")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raises ``FileNotFoundError`` for an object that is not there, else ``OSError`` that says what to do."""
        try:
            yield
        except (BaseError, OSError) as error:
            raise refusal_of(error, self._bucket) from error
        except BaseException as error:
            if type(error).__module__ != _PANIC:
                raise
            raise OSError(_NO_ADDRESS) from None


def _store_of(bucket: Bucket) -> S3Store:
    """Raises ``ConfigurationError``."""
    try:
        return _configured(bucket)
    except BaseError:
        raise ConfigurationError(_half_of_a_pair(os.environ) or _UNREADABLE) from None


def _half_of_a_pair(environ: Mapping[str, str]) -> str | None:
    """The words for a key without its secret, or a secret without its key."""
    missing = [name for name in _PAIR if name not in environ]
    if len(missing) != 1:
        return None
    (given,) = set(_PAIR) - set(missing)
    return f"{given} is set, and {missing[0]} is not: set both, or neither"


def _configured(bucket: Bucket) -> S3Store:
    given = {"endpoint": _endpoint_of(bucket), "region": bucket.region}
    return S3Store(
        bucket.name,
        prefix=bucket.prefix or None,
        config={name: value for name, value in given.items() if value},  # type: ignore[arg-type]
        virtual_hosted_style_request=not bucket.path_style,
        disable_bulk_delete=True,
        client_options={"allow_http": True, "connect_timeout": CONNECT_WITHIN, "timeout": ONCE_WITHIN},
        retry_config={
            "max_retries": TRIES,
            "retry_timeout": AGAIN_WITHIN,
            "backoff": {"init_backoff": _FIRST_WAIT, "max_backoff": _LONGEST_WAIT, "base": 2},
        },
    )


def _endpoint_of(bucket: Bucket) -> str:
    """With the bucket in the host's name where it is not in the path; empty = as the environment says."""
    if bucket.path_style or not bucket.endpoint:
        return bucket.endpoint.rstrip("/")
    scheme, _, host = bucket.endpoint.rstrip("/").partition("://")
    return f"{scheme}://{bucket.name}.{host}"
