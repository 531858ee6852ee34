"""The address to which a user is sent to authorize (RFC 6749 §4.1.1), with PKCE (RFC 7636). Pure."""

from __future__ import annotations

import base64
import hashlib
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from dispatcher.model.connector import OAuthApplication


def challenge_of(verifier: str) -> str:
    """``S256`` of RFC 7636 §4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(application: OAuthApplication, state: str, verifier: str, redirect_uri: str) -> str:
    """Keep what ``authorizeUri`` has of a query, but for the parameters that are ours."""
    ours = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
    }
    if application.scope:
        ours["scope"] = application.scope
    parts = urlsplit(application.authorize_uri)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in ours]
    return urlunsplit(parts._replace(query=urlencode([*kept, *ours.items()], quote_via=quote), fragment=""))
