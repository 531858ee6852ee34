"""ID tokens: whose authorization it was, where that can be read, and nothing else."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from worker.oauth.id_token import subject_of

CLAIMS: dict[str, Any] = {"iss": "https://issuer.example", "sub": "sam", "aud": "app"}


def token(claims: object) -> str:
    return f"e30.{base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip('=')}.c2ln"


@pytest.mark.parametrize("audience", ["app", ["other", "app"]])
def test_issuer_and_subject_are_read(audience: object) -> None:
    assert subject_of(token(CLAIMS | {"aud": audience}), "app") == ("https://issuer.example", "sam")


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        7,
        "",
        "a.b",
        "a.b.c.d",
        "e30.!!!.x",
        "e30.ÿ.x",
        token([CLAIMS]),
        token(CLAIMS | {"aud": "other"}),
        token(CLAIMS | {"aud": None}),
        token(CLAIMS | {"aud": [["app"], {}]}),
        token(CLAIMS | {"sub": 7}),
        token(CLAIMS | {"sub": ""}),
        token(CLAIMS | {"sub": "a\n"}),
        token(CLAIMS | {"sub": "a" * 256}),
        token(CLAIMS | {"iss": {}}),
        token({"sub": "sam", "aud": "app"}),
    ],
)
def test_anything_else_names_nobody(hostile: object) -> None:
    assert subject_of(hostile, "app") is None
