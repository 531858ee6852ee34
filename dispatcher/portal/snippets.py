"""Programs that verify an integration's notifications, with its own values. Text only: nothing here runs."""

from __future__ import annotations

from dataclasses import dataclass

PLACE = "whsec_…"
"""In the place of a secret that is shown no more."""

_PYTHON = '''\
import base64, hashlib, hmac, time

SECRET = "{secret}"

def verify(headers: dict[str, str], body: bytes) -> None:
    """Raises ValueError unless the dispatcher sent these very bytes within the last five minutes."""
    event_id, sent_at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(sent_at)) > 300:
        raise ValueError("too old, or the clock is wrong")
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    content = f"{{event_id}}.{{sent_at}}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    signatures = headers["webhook-signature"].split(" ")
    if not any(hmac.compare_digest(one.encode(), expected.encode()) for one in signatures):
        raise ValueError("signature does not match")
'''

_NODE = """\
import {{ createHmac, timingSafeEqual }} from "node:crypto";

const SECRET = "{secret}";

// body: the raw bytes, before any JSON is parsed
export function verify(headers, body) {{
  const id = headers["webhook-id"], sentAt = headers["webhook-timestamp"];
  if (Math.abs(Date.now() / 1000 - Number(sentAt)) > 300) throw new Error("too old, or the clock is wrong");
  const key = Buffer.from(SECRET.replace(/^whsec_/, ""), "base64");
  const mac = createHmac("sha256", key).update(`${{id}}.${{sentAt}}.`).update(body).digest("base64");
  const expected = Buffer.from("v1," + mac);
  const fits = headers["webhook-signature"].split(" ").some((one) => {{
    const given = Buffer.from(one);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }});
  if (!fits) throw new Error("signature does not match");
}}
"""

_SHELL = """\
# One request, part by part: what does not fit, and why.
dispatcher verify --secret '{secret}' --id "$WEBHOOK_ID" --timestamp "$WEBHOOK_TIMESTAMP" \\
  --signature "$WEBHOOK_SIGNATURE" --body-file body.json

# Public keys (v1a), for hosts that keep no secret:
curl {base_url}/.well-known/webhook-keys/{integration_id}
"""

_PUBLIC = '''\
import base64, time
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # pip install cryptography

PUBLIC_KEY = "{public_key}"

def verify(headers: dict[str, str], body: bytes) -> None:
    """Raises unless the dispatcher sent these very bytes within the last five minutes."""
    event_id, sent_at = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(sent_at)) > 300:
        raise ValueError("too old, or the clock is wrong")
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(PUBLIC_KEY.removeprefix("whpk_")))
    signatures = [one[4:] for one in headers["webhook-signature"].split(" ") if one.startswith("v1a,")]
    content = f"{{event_id}}.{{sent_at}}.".encode() + body
    for one in signatures:
        try:
            return key.verify(base64.b64decode(one), content)
        except Exception:
            continue
    raise ValueError("signature does not match")
'''


@dataclass(frozen=True, slots=True)
class Snippet:
    """``name`` is that of a language, which is the same in every language."""

    name: str
    text: str


def snippets(base_url: str, integration_id: str, secret: str | None, public_key: str | None) -> list[Snippet]:
    """``secret`` None: it was shown when it was made, and a place is left for it."""
    values = {
        "base_url": base_url,
        "integration_id": integration_id,
        "secret": secret or PLACE,
        "public_key": public_key,
    }
    found = [("Python", _PYTHON), ("Node.js", _NODE), ("Shell", _SHELL)]
    found += [("Python, ed25519", _PUBLIC)] if public_key else []
    return [Snippet(name, text.format(**values)) for name, text in found]
