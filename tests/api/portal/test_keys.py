"""Signing keys on a product host's page: rotated when asked, shown once, and the programs there verify with them."""

from __future__ import annotations

import html
import re
import time
from typing import Any

import pytest

from dispatcher.policy.notification.signing import parse_secret, sign
from dispatcher.store.secrets.fields import signing_secret
from tests.api.audit_entries import newest
from tests.api.portal.conftest import Host

BODY = b'{"type":"SUBSCRIPTION_ORDER"}'
PRE = re.compile(r"<pre[^>]*>(.*?)</pre>", re.DOTALL)


def texts(page: str) -> list[str]:
    """Of everything that one copies."""
    return [html.unescape(text) for text in PRE.findall(page)]


async def rotated(host: Host, algorithm: str = "HMAC", overlap: str = "86400") -> str:
    answer = await host.send("/portal/keys", {"algorithm": algorithm, "overlap": overlap})
    text = await answer.text()
    assert answer.status == 200, text
    return text


async def keys_now(host: Host) -> list[Any]:
    found = await host.api.services.definitions.needed(host.integration.id)
    return list(found.signing_secrets)


async def headers_of(host: Host) -> dict[str, str]:
    """Of a notification that is signed with every key now."""
    opened = [
        host.api.services.sealer.open(one.secret, signing_secret(host.integration.id)) for one in await keys_now(host)
    ]
    now_s = int(time.time())
    signature = sign([parse_secret(one) for one in opened], "msg-1", now_s, BODY)
    return {"webhook-id": "msg-1", "webhook-timestamp": str(now_s), "webhook-signature": signature}


async def test_a_secret_is_shown_once_and_the_one_before_counts_down(developer: Host) -> None:
    assert "Nothing is signed yet" in await developer.look("/portal/keys")
    first = texts(await rotated(developer))[0]
    second = texts(await rotated(developer))[0]
    assert first.startswith("whsec_")
    assert first != second
    page = await developer.look("/portal/keys")
    assert first not in page
    assert second not in page
    assert "whsec_…" in page
    assert 'data-left-ms="86400000"' in page
    assert "ends in 1 d" in page
    developer.api.clock.now_s += 86_400
    await developer.enter()
    assert "data-left-ms" not in await developer.look("/portal/keys")


async def test_the_programs_verify_what_is_sent_with_the_pages_own_values(developer: Host) -> None:
    page = texts(await rotated(developer))
    public = texts(await rotated(developer, "ED25519"))
    headers = await headers_of(developer)
    programs = [one for one in page if one.startswith("import base64, hashlib")]
    programs += [one for one in public if "Ed25519PublicKey" in one]
    assert len(programs) == 2
    for program in programs:
        names: dict[str, Any] = {}
        exec(program, names)
        names["verify"](headers, BODY)
        for changed in (headers | {"webhook-timestamp": "1"}, headers | {"webhook-id": "msg-2"}):
            with pytest.raises(ValueError, match=r"too old|does not match"):
                names["verify"](changed, BODY)
        with pytest.raises(ValueError, match="does not match"):
            names["verify"](headers, BODY + b" ")


async def test_a_form_that_was_sent_makes_no_second_key(developer: Host) -> None:
    form = await developer.token("/portal/keys")
    fields = {"algorithm": "HMAC", "overlap": "0"}
    statuses = [(await developer.send("/portal/keys", fields, form=form)).status for _ in range(3)]
    assert statuses == [200, 409, 409]
    assert len(await keys_now(developer)) == 1
    entry = await newest(developer.api)
    assert (entry["action"], entry["objectId"]) == ("rotateSigningSecret", developer.integration.id)


@pytest.mark.parametrize("fields", [{}, {"algorithm": "HMAC", "overlap": "7"}, {"algorithm": "NONE", "overlap": "0"}])
async def test_what_is_no_choice_is_refused_beside_its_field(developer: Host, fields: dict[str, str]) -> None:
    answer = await developer.send("/portal/keys", fields)
    assert answer.status == 422
    assert 'class="wrong"' in await answer.text()
    assert await keys_now(developer) == []


async def test_another_integrations_keys_stay_as_they_are(developer: Host) -> None:
    await rotated(developer)
    other = await developer.api.services.definitions.needed(developer.other.id)
    assert other.signing_secrets == ()
    assert "rival" not in await developer.look("/portal/keys")
