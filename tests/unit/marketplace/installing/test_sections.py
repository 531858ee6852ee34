"""Settings drawn as a form, and what was typed put back into them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from dispatcher.marketplace.installing.sections import filled

PLAIN = {"name": "colour", "type": "text", "value": "red"}
KEY = {"name": "key", "type": "password", "value": "sealed"}


@pytest.mark.parametrize("fields", [[PLAIN], [PLAIN, KEY]], ids=["without a secret", "with one"])
def test_what_was_typed_goes_into_a_copy(fields: list[dict[str, Any]]) -> None:
    settings = {"sections": [{"fields": fields}]}
    before = deepcopy(settings)
    after = filled(settings, {"s0.0": "blue", "s0.1": ""})
    assert after["sections"][0]["fields"][0]["value"] == "blue"
    assert [one["value"] for one in after["sections"][0]["fields"][1:]] == ["******"] * (len(fields) - 1)
    assert settings == before
