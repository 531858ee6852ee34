"""The audit log, API clients and settings in the console: for clients of the whole deployment alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.conftest import KEY
from tests.api.console.conftest import Visitor

PLACES = ("audit", "clients", "settings")


async def act(visitor: Visitor, path: str, fields: dict[str, str], status: int = 200) -> str:
    """Send a form of the page of clients."""
    page = await visitor.look("/console/clients")
    token = re.findall(r'name="form" value="([^"]*)"', page)[0]
    answer = await visitor.send(path, {"form": token} | fields)
    text = await answer.text()
    assert answer.status == status, text
    return text


async def listed(visitor: Visitor, name: str) -> Any:
    found = await visitor.api.json("GET", "/v1/clients", 200)
    return next((one for one in found["data"] if one["name"] == name), None)


async def test_who_changed_what_is_found(operator: Visitor) -> None:
    await operator.api.json("POST", f"/v1/lanes/{operator.integration.id}/pause", 200, json={"reason": "deploy"})
    page = await operator.look(f"/console/audit?action=pauseLane&objectId={operator.integration.id}&from=")
    assert "deploy" in page
    assert "admin" in page
    assert "Nothing that meets these conditions" in await operator.look("/console/audit?clientId=nobody")
    await operator.look("/console/audit?from=yesterday", 400)


async def test_a_client_is_made_and_its_secret_shown_once(operator: Visitor) -> None:
    given = {"name": "ops", "role": "viewer", "scope.ops:write": "true"}
    page = await act(operator, "/console/clients", given)
    client_id, secret = re.findall(r'<code class="long">([^<]*)</code>', page)
    assert secret not in await operator.look("/console/clients")
    made = await listed(operator, "ops")
    assert set(made["scopes"]) == {"events:read", "integrations:read", "ops:read", "ops:write"}
    await operator.api.token(client_id, secret)
    page = await act(operator, f"/console/clients/{client_id}/rotate", {})
    _, newer = re.findall(r'<code class="long">([^<]*)</code>', page)
    assert newer != secret
    await act(operator, f"/console/clients/{client_id}/disable", {}, 303)
    assert (await listed(operator, "ops"))["disabled"]
    await act(operator, "/console/clients/nobody/disable", {}, 404)


async def test_what_ends_is_said_before_a_secret_is_replaced_or_a_client_disabled(operator: Visitor) -> None:
    await act(operator, "/console/clients", {"name": "careful", "role": "viewer"})
    path = f"/console/clients/{(await listed(operator, 'careful'))['clientId']}"
    page = await operator.look("/console/clients")
    assert (f'href="{path}/rotate"' in page, f'action="{path}/' in page) == (True, False)
    page = await operator.look(f"{path}/rotate")
    assert "Its secret ends at once" in page
    assert "settings" not in page.partition("<h1>")[2].partition("</form>")[0]
    assert "let in no more" in await operator.look(f"{path}/disable")
    assert not (await listed(operator, "careful"))["disabled"]
    answer = await operator.act(f"{path}/rotate", f"{path}/rotate")
    assert "Client secret" in await answer.text()
    assert (await operator.act(f"{path}/disable", f"{path}/disable")).status == 303
    assert (await listed(operator, "careful"))["disabled"]
    for act_of in ("rotate", "disable"):
        await operator.look(f"/console/clients/nobody/{act_of}", 404)


async def test_a_client_of_the_settings_is_said_to_come_back(operator: Visitor) -> None:
    page = await operator.look("/console/clients/admin/rotate")
    assert "brings their secret back" in page
    assert "your own session ends as well" in page
    assert "enables it again" in await operator.look("/console/clients/admin/disable")
    assert "takes the key away and brings their secret back" in await operator.look("/console/clients/admin/key")


PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


async def test_a_client_is_given_a_public_key_and_has_no_secret(operator: Visitor) -> None:
    await act(operator, "/console/clients", {"name": "signer", "role": "viewer", "publicKey": PUBLIC_KEY}, 303)
    made = await listed(operator, "signer")
    assert made["publicKey"]["crv"] == "Ed25519"
    await act(operator, "/console/clients", {"name": "other", "role": "viewer"})
    other = await listed(operator, "other")
    path = f"/console/clients/{other['clientId']}/key"
    assert (other["publicKey"], "proves itself with its secret" in await operator.look(path)) == (None, True)
    refused = await operator.act(path, path, {"publicKey": "-----BEGIN PRIVATE KEY-----"})
    shown = await refused.text()
    assert (refused.status, "which stays with the client" in shown) == (422, True)
    assert "BEGIN PRIVATE KEY" not in shown
    page = await act(operator, "/console/clients", {"name": "n", "publicKey": "-----BEGIN PRIVATE KEY-----"}, 422)
    assert "BEGIN PRIVATE KEY" not in page
    assert (await operator.act(path, path, {"publicKey": PUBLIC_KEY})).headers["Location"].endswith("said=keyed")
    assert (await listed(operator, "other"))["publicKey"] == made["publicKey"]
    assert "Another public key" in await operator.look(path)
    await operator.look("/console/clients/nobody/key", 404)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "x"}, "Give scopes, a role, or both"),
        ({"role": "publisher"}, "acts for one vendor"),
        ({"role": "viewer", "marketplaces": "x"}, "Give numbers of marketplaces"),
        ({"role": "viewer", "marketplaces": "9"}, "There is no marketplace 9; there is none yet"),
        ({"role": "viewer", "name": "a\nb"}, "One line"),
    ],
)
async def test_what_is_wrong_with_a_client_is_told(operator: Visitor, fields: dict[str, str], told: str) -> None:
    token = re.findall(r'name="form" value="([^"]*)"', await operator.look("/console/clients"))[0]
    answer = await operator.send("/console/clients", {"form": token} | fields)
    assert answer.status in (400, 422)
    assert told in await answer.text()


async def test_nobody_gives_what_is_not_theirs(visitor: Visitor) -> None:
    await visitor.sign_in_as_new("clients:admin", "events:read")
    page = await act(visitor, "/console/clients", {"name": "more", "role": "operator"}, 403)
    assert "You can only give what your own client has" in page
    assert await listed(visitor, "more") is None
    await act(visitor, "/console/clients/admin/rotate", {}, 403)


async def test_settings_are_shown_without_secrets(operator: Visitor) -> None:
    page = await operator.look("/console/settings")
    assert "DISPATCHER_SECRET_KEYS" in page
    assert "https://dispatcher.example" in page or "http://dispatcher.example" in page
    for secret in (KEY, "admin-secret-for-tests"):
        assert secret not in page


@pytest.mark.parametrize("bound", [{"account_id": "A-1"}, {"vendor_id": "V-1"}])
async def test_a_client_of_a_part_sees_none_of_it(visitor: Visitor, bound: dict[str, str]) -> None:
    await visitor.sign_in_as_new("clients:admin", "ops:read", "events:read", **bound)
    page = await visitor.look("/console/events")
    for place in PLACES:
        await visitor.look(f"/console/{place}", 403)
        assert f'href="/console/{place}"' not in page


async def test_j5_an_operator_without_the_scope_makes_no_client(visitor: Visitor) -> None:
    await visitor.sign_in_as_new("ops:read", "ops:write", "events:read")
    await visitor.look("/console/audit")
    await visitor.look("/console/clients", 403)
    await visitor.look("/console/settings", 403)
    for path in ("clients", "clients/admin/rotate", "clients/admin/disable"):
        assert (await visitor.send(f"/console/{path}", {})).status == 403
