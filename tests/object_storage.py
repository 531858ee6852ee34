"""A small server that speaks S3, on loopback: whole objects, ranges and lists, and faults at a test's word.

Signatures are not judged. Holds no test.
"""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from dispatcher.policy.bucket import Bucket

BUCKET = "history"


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer in the place of the true one. ``status`` 0: the connection ends without one."""

    status: int
    code: str = ""


Faulty = Callable[[str, str], Fault | None]
"""The fault of a request, by its method and the object's name; None = none."""


def none(_method: str, _name: str) -> None:
    return None


@dataclass
class ObjectServer:
    """``objects``: contents by name; ``asked``: methods and names, in order."""

    port: int = 0
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    fault: Faulty = none
    answering: threading.Event = field(default_factory=threading.Event)
    """Until it is set nothing is answered."""

    def bucket(self, prefix: str = "main", name: str = BUCKET) -> Bucket:
        return Bucket(name, prefix, f"http://127.0.0.1:{self.port}")

    def named(self, key: str) -> str:
        """The one object whose name ends so."""
        (found,) = (name for name in self.objects if name.endswith(key))
        return found


@contextlib.contextmanager
def object_server(patch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    """Credentials are in the environment, as its users expect them."""
    patch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-tests")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    made = ObjectServer()

    class Answering(_Answering):
        server_of = made

    with _Listening(("127.0.0.1", 0), Answering) as server:
        server.daemon_threads = True
        made.port = server.server_address[1]
        made.answering.set()
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield made
        finally:
            made.answering.set()
            server.shutdown()
            thread.join()


class _Listening(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of callers that have gone, as those do that are tired of waiting."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of: ObjectServer

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        if name := self._begun():
            self.server_of.objects[name] = content
            self._answer(200, b"", {"etag": '"x"'})

    def do_DELETE(self) -> None:
        if name := self._begun():
            self.server_of.objects.pop(name, None)
            self._answer(204, b"")

    def do_GET(self) -> None:
        name = self._begun()
        if name is None:
            return
        if not name:
            self._answer(200, self._listed())
        elif name not in self.server_of.objects:
            self._refuse(Fault(404, "NoSuchKey"))
        else:
            self._send(self.server_of.objects[name])

    def _send(self, content: bytes) -> None:
        first, last = (int(one) for one in re.findall(r"\d+", self.headers["range"]))
        if first >= len(content):
            return self._refuse(Fault(416, "InvalidRange"))
        part = content[first : last + 1]
        span = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        return self._answer(206, part, {"content-range": span, "etag": '"x"', "last-modified": _http_date()})

    def _begun(self) -> str | None:
        """The object's name, empty for the bucket itself; None = it was answered already."""
        server, (bucket, _, name) = self.server_of, unquote(urlsplit(self.path).path[1:]).partition("/")
        server.asked.append((self.command, name))
        server.answering.wait()
        fault = Fault(404, "NoSuchBucket") if bucket != BUCKET else server.fault(self.command, name)
        if fault is None:
            return name
        self._refuse(fault)
        return None

    def _listed(self) -> bytes:
        prefix = parse_qs(urlsplit(self.path).query)["prefix"][0]
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        entries = "".join(
            f'<Contents><Key>{name}</Key><LastModified>{moment}</LastModified><ETag>"x"</ETag>'
            f"<Size>{len(content)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for name, content in sorted(self.server_of.objects.items())
            if name.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>".encode()

    def _refuse(self, fault: Fault) -> None:
        if not fault.status:
            self.close_connection = True
            return
        body = f"<Error><Code>{fault.code}</Code><Message>no</Message></Error>" if fault.code else ""
        self._answer(fault.status, body.encode())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


def _http_date() -> str:
    return datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
