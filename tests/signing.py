"""The key pair that signs access tokens, made and checked once in a test process; a pytest plugin.

Both take longer than most tests. An API that starts over an empty store makes a pair of its own: put this one there
before, unless that is what the test is about.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from joserfc.jwk import RSAKey

from dispatcher.api.oauth.keys import generate


@functools.cache
def key_pair() -> str:
    """In clear."""
    return generate()


@pytest.fixture(scope="session", autouse=True)
def _keys_checked_once() -> Iterator[None]:
    """Each start of an API checks its pair. Other keys are read as ever."""
    known: dict[bytes, Any] = {}
    check = RSAKey.import_key

    def checked(value: Any, *arguments: Any) -> Any:
        if not isinstance(value, dict) or "d" not in value:
            return check(value, *arguments)
        whole = orjson.dumps([value, arguments], default=repr, option=orjson.OPT_SORT_KEYS)
        if whole not in known:
            known[whole] = check(value, *arguments)
        return known[whole]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSAKey, "import_key", checked)
        yield
