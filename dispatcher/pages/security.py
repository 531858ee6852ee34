"""Headers of every page: what a browser may load, run, frame and tell others. Decides nothing about who may look."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence

_LEAVES_NOTHING = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",  # with "no-referrer" browsers name no origin when a form is sent
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def page_headers(
    *, framed_by: Sequence[str] = (), inline_styles: Iterable[str] = (), scripts: bool = False
) -> dict[str, str]:
    """``framed_by``: origins whose pages may show this one in a frame; without any, none may.

    ``inline_styles`` are texts of ``<style>`` elements, each let in by its hash (CSP3 §6.7.3.2).
    """
    styles = " ".join(["'self'", *(f"'sha256-{_digest(text)}'" for text in inline_styles)])
    framing = " ".join(framed_by) or "'none'"
    policy = [
        "default-src 'none'",
        f"style-src {styles}",
        "img-src 'self' data:",
        *(["script-src 'self'", "connect-src 'self'"] if scripts else []),
        "form-action 'self'",
        "base-uri 'none'",
        f"frame-ancestors {framing}",
    ]
    return _LEAVES_NOTHING | {"Content-Security-Policy": "; ".join(policy)}


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
