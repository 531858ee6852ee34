"""/v1/definitions: the work of publishers without GraphQL, on the same rules."""

from __future__ import annotations

from typing import Any

from dispatcher.model.access import Scope
from tests.api.conftest import Api

PATH = "/v1/definitions"
HOOK = "https://host.example/orders"
SECRET = "keep-this-secret"


async def defined(api: Api, **fields: Any) -> Any:
    return await api.json("POST", PATH, 201, json={"name": "Acme", "createUrl": HOOK} | fields)


async def test_a_definition_is_made_changed_published_and_linked(api: Api) -> None:
    made = await defined(api)
    assert made["signingSecret"].startswith("whsec_")
    one = f"{PATH}/{made['definition']['id']}"
    changed = await api.json("PATCH", one, 200, json={"cancelUrl": f"{HOOK}/cancel"})
    assert (changed["definition"]["createUrl"], changed["definition"]["cancelUrl"]) == (HOOK, f"{HOOK}/cancel")
    published = await api.json("POST", f"{one}/publish", 200)
    assert (published["version"], published["revision"], published["cancelUrl"]) == ("PUBLISHED", 1, f"{HOOK}/cancel")
    linked = await api.json("POST", f"{one}/link", 200, json={"productId": "P-new"})
    assert linked == {
        "productId": "P-new",
        "integrationId": made["definition"]["id"],
        "formerIntegrationId": None,
        "warnings": [],
    }
    accepted = await api.emit(productId="P-new")
    event = await api.json("GET", f"/v1/events/{accepted['id']}", 200)
    assert event["integrationId"] == made["definition"]["id"]
    await api.json("POST", f"{one}/unlink", 200, json={"productId": "P-new"})
    await api.refused("POST", f"{one}/unlink", 409, "not_linked", "productId", json={"productId": "P-new"})


async def test_secrets_are_masked_and_a_mask_keeps_them(api: Api) -> None:
    credentials = {"type": "BASIC", "clientId": "me", "clientSecret": SECRET}
    made = await defined(api, outboundCredentials=credentials)
    shown = made["definition"]["outboundCredentials"]
    assert (shown["clientId"], shown["clientSecret"]) == ("me", "******")
    one = f"{PATH}/{made['definition']['id']}"
    answer = await api.ask("PATCH", one, json={"outboundCredentials": shown | {"clientId": "you"}})
    assert answer.status == 200
    assert SECRET not in await answer.text()
    kept = await api.services.definitions.needed(made["definition"]["id"])
    assert kept.working.credentials.client_secret


async def test_a_choice_is_read_in_any_case_as_over_graphql(api: Api) -> None:
    given = {"type": "oauth2", "grantType": "CLIENT_CREDENTIALS", "authMethod": "Client_Secret_Post"}
    credentials = {"clientId": "me", "clientSecret": SECRET, "tokenUri": "https://host.example/token"} | given
    shown = (await defined(api, outboundCredentials=credentials, answers="RESULT"))["definition"]
    read = {name: shown["outboundCredentials"][name] for name in given}
    assert read == {"type": "OAUTH2", "grantType": "client_credentials", "authMethod": "client_secret_post"}
    assert shown["answers"] == "result"
    wrong = {"outboundCredentials": credentials | {"grantType": "CLIENT"}}
    await api.refused("POST", PATH, 422, "invalid_value", "outboundCredentials.grantType", json=wrong)


async def test_the_published_version_is_another_than_the_one_that_is_edited(api: Api) -> None:
    one = f"{PATH}/{(await defined(api))['definition']['id']}"
    await api.refused("GET", f"{one}?version=published", 404, "not_published", "version")
    await api.json("POST", f"{one}/publish", 200)
    await api.json("PATCH", one, 200, json={"createUrl": f"{HOOK}/new"})
    assert (await api.json("GET", f"{one}?version=PUBLISHED", 200))["createUrl"] == HOOK
    assert (await api.json("GET", one, 200))["createUrl"] == f"{HOOK}/new"
    await api.refused("GET", f"{one}?version=draft", 400, "invalid_parameter", "version")


async def test_a_definition_is_found_by_each_of_its_three_ids(api: Api) -> None:
    made = (await defined(api))["definition"]
    for any_id in (made["id"], made["appMarketId"], made["connectorId"]):
        assert (await api.json("GET", f"{PATH}/{any_id}", 200))["id"] == made["id"]
    await api.refused("GET", f"{PATH}/nobody", 404, "not_found", "id")


async def test_pages_list_every_definition_once(api: Api) -> None:
    made = {(await defined(api))["definition"]["id"] for _ in range(3)}
    found, cursor = set(), ""
    while cursor is not None:
        page = await api.json("GET", f"{PATH}?limit=2{cursor and '&cursor='}{cursor}", 200)
        found |= {one["id"] for one in page["data"]}
        cursor = page["nextCursor"]
    assert made < found


async def test_a_change_of_what_another_has_changed_is_refused(api: Api) -> None:
    one = f"{PATH}/{(await defined(api))['definition']['id']}"
    tag = (await api.ask("GET", one)).headers["ETag"]
    api.clock.now_s += 1
    await api.json("PATCH", one, 200, json={"name": "Mine"}, headers={"If-Match": tag})
    late: dict[str, Any] = {"headers": {"If-Match": tag}}
    await api.refused("PATCH", one, 412, "precondition_failed", json={"name": "Yours"}, **late)
    await api.refused("POST", f"{one}/publish", 412, "precondition_failed", **late)
    await api.refused("DELETE", one, 412, "precondition_failed", **late)
    assert (await api.json("GET", one, 200))["name"] == "Mine"
    assert (await api.ask("DELETE", one)).status == 204
    await api.refused("GET", one, 404, "not_found", "id")


async def test_everything_wrong_is_named_at_once_and_nothing_is_made(api: Api) -> None:
    before = await api.json("GET", PATH, 200)
    problems = (await api.json("POST", PATH, 422, json={"createUrl": "ftp://host.example", "concurrency": 0}))["errors"]
    assert {one["field"] for one in problems} == {"createUrl", "concurrency"}
    misspelt = {"creatUrl": HOOK, "answers": "maybe", "rateLimit": "fast"}
    problems = (await api.json("POST", PATH, 422, json=misspelt))["errors"]
    assert "There is no such field; did you mean createUrl?" in [one["message"] for one in problems]
    assert {(one["code"], one["field"]) for one in problems} == {
        ("unknown_field", "creatUrl"),
        ("invalid_value", "answers"),
        ("wrong_type", "rateLimit"),
    }
    assert await api.json("GET", PATH, 200) == before


async def test_a_vendor_reaches_its_own_definitions_only(api: Api) -> None:
    theirs = (await defined(api))["definition"]["id"]
    scopes = frozenset({Scope.INTEGRATIONS_READ.value, Scope.INTEGRATIONS_WRITE.value})
    client, secret = await api.services.clients.create(scopes, "vendor", None, 0, vendor_id="v-7")
    mine: dict[str, Any] = {"headers": await api.bearer(client.client_id, secret)}
    made = await api.json("POST", PATH, 201, json={"createUrl": HOOK}, **mine)
    assert made["definition"]["vendorId"] == "v-7"
    assert [one["id"] for one in (await api.json("GET", PATH, 200, **mine))["data"]] == [made["definition"]["id"]]
    await api.refused("PATCH", f"{PATH}/{theirs}", 404, "not_found", "id", json={}, **mine)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/publish")):
        await api.refused(method, f"{PATH}/{theirs}{path}", 404, "not_found", "id", **mine)


async def test_a_definition_whose_events_wait_is_deleted_on_purpose_only(api: Api) -> None:
    event_ids = [(await api.emit())["id"] for _ in range(2)]
    linked = (await api.json("GET", PATH, 200))["data"][0]["id"]
    await api.json("POST", f"{PATH}/{linked}/unlink", 200, json={"productId": "P-1"})
    body = await api.refused("DELETE", f"{PATH}/{linked}", 409, "events_waiting", "id")
    assert body["errors"][0]["message"].startswith("2 events")
    text = f'mutation {{ deleteProductIntegration(input: {{ id: "{linked}" MORE }}) {{ id userErrors {{ code }} }} }}'
    refused = await api.json("POST", "/graphql", 200, json={"query": text.replace("MORE", "")})
    assert refused["data"]["deleteProductIntegration"] == {"id": None, "userErrors": [{"code": "events_waiting"}]}
    await api.refused(
        "DELETE", f"{PATH}/{linked}?discardWaitingEvents=yes", 400, "invalid_parameter", "discardWaitingEvents"
    )
    await api.json("POST", f"/v1/events/{event_ids[0]}/resolve", 200)
    await api.refused("DELETE", f"{PATH}/{linked}", 409, "events_waiting", "id")
    deliberate = await api.json(
        "POST", "/graphql", 200, json={"query": text.replace("MORE", ", discardWaitingEvents: true")}
    )
    assert deliberate["data"]["deleteProductIntegration"] == {"id": linked, "userErrors": []}


async def test_what_waits_of_a_deleted_definition_is_held_by_no_pause(api: Api) -> None:
    await api.emit()
    linked = (await api.json("GET", PATH, 200))["data"][0]["id"]
    await api.json("POST", f"/v1/lanes/{linked}/pause", 200, json={"reason": "for now"})
    await api.json("POST", f"{PATH}/{linked}/unlink", 200, json={"productId": "P-1"})
    assert (await api.ask("DELETE", f"{PATH}/{linked}?discardWaitingEvents=true")).status == 204
    lane = (await api.services.queue.lanes([linked]))[linked]
    assert (lane.paused, lane.ready) == (False, 1), "due, so that a worker ends it"


async def test_a_definition_whose_events_have_ended_is_deleted(api: Api) -> None:
    event_id = (await api.emit())["id"]
    linked = (await api.json("GET", PATH, 200))["data"][0]["id"]
    await api.json("POST", f"{PATH}/{linked}/unlink", 200, json={"productId": "P-1"})
    for query, status in (("", 409), ("?discardWaitingEvents=false", 409)):
        assert (await api.ask("DELETE", f"{PATH}/{linked}{query}")).status == status
    await api.json("POST", f"/v1/events/{event_id}/resolve", 200)
    assert (await api.ask("DELETE", f"{PATH}/{linked}")).status == 204


async def test_a_definition_that_a_product_is_linked_to_is_not_deleted(api: Api) -> None:
    linked = (await api.json("GET", PATH, 200))["data"][0]
    answer = await api.ask("DELETE", f"{PATH}/{linked['id']}")
    assert answer.status == 409


async def test_every_change_is_in_the_audit_log(api: Api) -> None:
    one = f"{PATH}/{(await defined(api))['definition']['id']}"
    await api.json("PATCH", one, 200, json={"name": "Renamed"})
    await api.json("POST", f"{one}/publish", 200)
    for action in ("link", "unlink"):
        await api.json("POST", f"{one}/{action}", 200, json={"productId": "P-new"})
    assert (await api.ask("DELETE", one)).status == 204
    noted = [entry["action"] for entry in (await api.json("GET", "/v1/audit?limit=6", 200))["data"]]
    assert noted == [
        f"{action}ProductIntegration" for action in ("delete", "unlink", "link", "publish", "update", "create")
    ]
