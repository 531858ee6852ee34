"""ID tokens: signature and claims (OpenID Connect Core §3.1.3.7). Fetches nothing."""

from __future__ import annotations

import warnings
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA", "ES384", "ES512", "RS384", "RS512", "PS384", "PS512")
"""Signed with a key of the provider's own: never ``none``, never with our secret."""
LEEWAY_S = 60
MAX_SUBJECT_CHARS = 255
"""OpenID Connect Core §2."""


class UnknownKey(Exception):
    """The token names a key that is not among those given."""


class TokenRefused(Exception):
    """The token is not what it has to be; the text is for the log."""


def claims_of(
    id_token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, access_token: str | None, now_s: float
) -> dict[str, Any]:
    """Its claims, all checked. Raises ``UnknownKey`` or ``TokenRefused``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)  # RFC 9864 renames EdDSA; providers know the old name
            token = jwt.decode(id_token, keys, algorithms=list(ALGORITHMS))
        claims = CodeIDToken(
            token.claims,
            token.header,
            {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
            {"nonce": nonce, "client_id": client_id, "access_token": access_token},
        )
        claims.validate(int(now_s), LEEWAY_S)
    except InvalidKeyIdError as error:
        raise UnknownKey from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefused(f"{type(error).__name__}: {error}") from None
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARS or not subject.isprintable():
        raise TokenRefused("its subject is no text of 1 to 255 characters")
    return dict(claims)
