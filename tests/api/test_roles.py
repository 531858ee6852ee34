"""Every route × every role × an object of one's own, of somebody else, and one that is not there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from dispatcher.api.graphql.schema import build_schema
from dispatcher.api.http.route import Route
from dispatcher.api.table import api_routes
from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client
from dispatcher.ids import new_event_id, new_uuid
from dispatcher.model.access import ADMIN_SCOPES, Scope, effective
from dispatcher.model.roles import ROLES, Role, problem_with
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.server_time import server_now_ms
from tests.api.conftest import Api, Start
from tests.api.role_objects import ABSENT_IDS, FIRST_MARKETPLACE, Shop
from tests.api.tenants import Tenant, bearer, settle_in
from tests.api.town import MUTATIONS
from tests.api.worker_hand import WorkerHand

PROTECTED = [route for route in api_routes() if route.scopes is not None]
VENDOR, ACCOUNT = "acme", "A-acme"
OWN, FOREIGN, ABSENT = "own", "foreign", "absent"

FLEET_WIDE = {Scope.OPS_READ, Scope.OPS_WRITE, Scope.CLIENTS_ADMIN}
BODIES: dict[str, Any] = {
    "/v1/events": {"type": "create", "productId": "P-acme", "accountId": ACCOUNT},
    "/v1/events/batch": [],
    "/v1/redeliveries": {"filter": {}, "dryRun": True},
    "/v1/clients": {"scopes": ["portal:create"]},
    "/v1/clients/{clientId}": {"name": "new"},
    "/v1/marketplaces": {"name": "new"},
    "/v1/marketplaces/{marketplaceId}": {"name": "new"},
    "/v1/connector-templates": {"name": "new"},
    "/v1/products/{productId}": {"name": "new"},
    "/v1/connector-templates/{templateId}": {"name": "new"},
    "/v1.0/users/marketplace": {"Username": "u", "Password": "p", "AccountName": "Customer", "MarketplaceId": 27},
    "/v1.0/users/launch": {"Username": "u", "Password": "p", "AccountName": "Customer", "MarketplaceId": 27},
    "/v1.0/account/connectors/{connectorId}": {"Description": "new"},
    "/v1.0/connectors/{templateId}/install": {"AuthValue": "key"},
    "/v1/integrations": {"name": "new"},
    "/v1/integrations/{_id}": {"name": "new"},
    "/v1/integrations/{_id}/clone": {},
    "/v1/integrations/{_id}/upgrade": {},
    "/v1/connectors/{_connectorId}/update": {"_integrationIds": ["0" * 24]},
    "/v1/definitions": {"name": "new"},
    "/v1/definitions/{id}": {"name": "new"},
    "/v1/definitions/{id}/link": {"productId": "P-new"},
    "/v1/definitions/{id}/unlink": {"productId": "P-unknown"},
    "/graphql": {"query": "{ productIntegrations { id } }"},
    "/api/integration/v1/events/{id}/result": {"success": True},
}
IN_FOLDERS = {"/redeliveries/": "redelivery", "/definitions/": "integrationId"}
"""Kind of object that ``{id}`` names there."""
DESCRIBES = ("PUT", "/v1/products/{productId}")
"""Makes a product known; the ids of those that are known cannot be hidden from it."""
BY_HEADER = re.compile(r"account/connectors|/v1\.0/connectors")
"""Routes whose account a header names."""
MADE_ANEW = {"templateId": Shop.template, "_id": Shop.installation, "connectorId": Shop.connector}
"""Objects that requests delete, by the name of its id in paths."""
OTHERS_EVENT_IS_403 = "/api/integration/"
"""A product host that asks with the wrong integration's client is told so."""


@dataclass
class World:
    """Ids by the name of a route's parameter, for each of the three."""

    api: Api
    ids: Mapping[str, Mapping[str, str]]
    headers: Mapping[Role, dict[str, str]]
    shops: Mapping[str, Shop]

    async def status(self, route: Route, role: Role, whose: str) -> int:
        path = route.path
        for name in re.findall(r"{(\w+)}", path):
            path = path.replace(f"{{{name}}}", await self._id(route, name, whose))
        body = BODIES.get(route.path)
        account_id = self.ids["accountId"][whose]
        headers = self.headers[role] | ({"X-Cyclr-Account": account_id} if BY_HEADER.search(path) else {})
        async with self.api.http.request(route.method, path, headers=headers, json=body) as answer:
            return answer.status

    async def _id(self, route: Route, name: str, whose: str) -> str:
        """Of something that is there, also after whoever came before has deleted the last one."""
        if route.method == "DELETE" and whose in self.shops and name in MADE_ANEW:
            return await MADE_ANEW[name](self.shops[whose])
        folders = IN_FOLDERS.items() if name == "id" else ()
        return self.ids[next((kind for folder, kind in folders if folder in route.path), name)][whose]


@pytest.fixture
async def world(start: Start) -> World:
    api = await start()
    hand = WorkerHand(api)
    mine = await settle_in(hand, api, VENDOR, "P-acme", ACCOUNT)
    theirs = await settle_in(hand, api, "brick", "P-brick", "A-brick")
    jobs = [
        await api.json("POST", "/v1/redeliveries", 202, json={"filter": {}}, headers=tenant.headers)
        for tenant in (mine, theirs)
    ]
    clients = [(await api.services.clients.create(frozenset({"ops:read"}), "", None, 0))[0] for _ in range(2)]
    ids = {
        "id": triple(mine.event_id, theirs.event_id, new_event_id(1_800_000_000_000, 1)),
        "integrationId": triple(mine.id, theirs.id, new_uuid()),
        "redelivery": triple(jobs[0]["id"], jobs[1]["id"], new_uuid()),
        "clientId": triple(clients[0].client_id, clients[1].client_id, "nobody"),
        "type": triple("create", "create", "nothing"),
        "productId": triple("P-acme", "P-brick", "P-unknown"),
        "problemId": triple(await failing(api, mine.id), await failing(api, theirs.id), f"failing:{new_uuid()}"),
    }
    shops = {
        OWN: Shop(api, mine, ACCOUNT, FIRST_MARKETPLACE),
        FOREIGN: Shop(api, theirs, "A-brick", FIRST_MARKETPLACE + 1),
    }
    known = {whose: await ids_in(shop) for whose, shop in shops.items()} | {ABSENT: ABSENT_IDS}
    of_shops = {name: {whose: known[whose][name] for whose in known} for name in ABSENT_IDS if name in known[OWN]}
    return World(api, ids | of_shops, {role: await headers_of(api, role, mine) for role in Role}, shops)


async def failing(api: Api, lane: str) -> str:
    """The id of the problem that all attempts of an integration failed lately."""
    home, minute = api.services.queue.partition_of(lane), await server_now_ms(api.redis) // 60_000
    counts = {f"a{minute}": "10", f"f{minute}": "10", "o": "TIMEOUT"}
    await api.redis.hset(keys.trouble(home, lane), mapping=counts)  # type: ignore[misc]
    await api.redis.sadd(keys.troubled(home), lane)  # type: ignore[misc]
    return f"failing:{lane}"


async def ids_in(shop: Shop) -> dict[str, str]:
    await shop.open()
    made = {name: await make(shop) for name, make in MADE_ANEW.items()}
    return made | {
        "marketplaceId": str(shop.marketplace_id),
        "accountId": shop.account_id,
        "_connectorId": await shop.definition(),
        "function": "verify",
    }


def triple(own: str, foreign: str, absent: str) -> dict[str, str]:
    return {OWN: own, FOREIGN: foreign, ABSENT: absent}


async def headers_of(api: Api, role: Role, tenant: Tenant) -> dict[str, str]:
    if role is Role.PRODUCT_HOST:
        pair = await generate_inbound_client(api.services.definitions, tenant.id, 1)
        return await api.bearer(pair.client_id, pair.client_secret)
    binding = ROLES[role].binding
    scopes = (scope.value for scope in ROLES[role].scopes)
    bound: dict[str, dict[str, Any]] = {
        "vendor": {"vendor_id": VENDOR},
        "account": {"account_id": ACCOUNT},
        "marketplace": {"marketplaces": (FIRST_MARKETPLACE,)},
    }
    return await bearer(api, *scopes, **bound.get(binding or "", {}))


def opens(route: Route, role: Role) -> bool:
    """True if the table of roles and the table of routes let this role in at all."""
    needed = set(route.scopes or ())
    granted = effective(frozenset(scope.value for scope in ROLES[role].scopes))
    if not granted & needed:
        return False
    if ROLES[role].binding == "vendor":
        return route.vendors
    if ROLES[role].binding == "marketplace":
        return route.partners
    return ROLES[role].binding != "account" or not needed <= FLEET_WIDE


def expected(route: Route, role: Role, whose: str) -> set[int]:
    """Answers to each of the three."""
    fine = {200, 201, 202, 204, 409, 422}
    if not opens(route, role):
        return {403}
    if not ("{" in route.path or BY_HEADER.search(route.path)) or (route.path.endswith("{type}") and whose != ABSENT):
        return fine
    if whose == ABSENT:
        return fine | {403} if (route.method, route.path) == DESCRIBES else {404}
    if (route.method, route.path) == DESCRIBES and whose == FOREIGN:
        return {403} if ROLES[role].binding else fine
    if whose == FOREIGN and route.path.startswith(OTHERS_EVENT_IS_403) and role is Role.PRODUCT_HOST:
        return {403}
    if whose == FOREIGN and ROLES[role].binding:
        return {404}
    return fine


async def test_bi35_every_route_answers_every_role_as_the_tables_say(world: World) -> None:
    wrong = []
    for route in PROTECTED:
        for role in Role:
            for whose in (ABSENT, FOREIGN, OWN):
                status = await world.status(route, role, whose)
                if status not in expected(route, role, whose):
                    wrong.append((route.method, route.path, role.value, whose, status))
    assert wrong == []


async def test_bi32_no_role_is_needed_to_be_refused_without_a_token(world: World) -> None:
    for route in PROTECTED:
        path = re.sub(r"{(\w+)}", lambda name: world.ids[name[1]][OWN], route.path)
        for address in (path, route.path.replace("{", "").replace("}", "")):
            assert (await world.api.http.request(route.method, address)).status == 401, address


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
async def test_bi34_mutations_are_for_roles_that_may_write_definitions(world: World, role: Role) -> None:
    granted = effective(frozenset(scope.value for scope in ROLES[role].scopes))
    inputs = {name: text.format(new_uuid()) for name, text in MUTATIONS.items()}
    inputs["createProductIntegration"] = 'name: "x"'
    for name, text in inputs.items():
        query = f"mutation {{ {name}(input: {{ {text} }}) {{ userErrors {{ code }} }} }}"
        answer = await world.api.http.post("/graphql", json={"query": query}, headers=world.headers[role])
        body = await answer.json()
        if Scope.INTEGRATIONS_WRITE in granted:
            assert (answer.status, "errors" in body) == (200, False), (name, body)
        else:
            assert (answer.status, body["errors"][0]["extensions"]["code"]) == (403, "insufficient_scope"), name


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
async def test_bi34_queries_are_for_roles_that_may_read_definitions(world: World, role: Role) -> None:
    granted = effective(frozenset(scope.value for scope in ROLES[role].scopes))
    own, foreign = world.ids["integrationId"][OWN], world.ids["integrationId"][FOREIGN]
    queries = {
        "productIntegration": f'{{ productIntegration(id: "{own}") {{ id }} }}',
        "productIntegrations": "{ productIntegrations { id } }",
        "productIntegrationPage": "{ productIntegrationPage { nodes { id } } }",
        "product": '{ product(id: "P-acme") { id } }',
    }
    fields = build_schema()._schema.query_type
    assert fields is not None
    assert set(queries) == set(fields.fields)
    may = bool({Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE} & granted)
    for query in queries.values():
        answer = await world.api.http.post("/graphql", json={"query": query}, headers=world.headers[role])
        assert answer.status == (200 if may else 403), query
    if may:
        query = f'{{ productIntegration(id: "{foreign}") {{ id }} }}'
        answer = await world.api.http.post("/graphql", json={"query": query}, headers=world.headers[role])
        found = (await answer.json())["data"]["productIntegration"]
        assert (found is None) == (role is Role.PUBLISHER)


@pytest.mark.parametrize("role", Role, ids=lambda role: role.value)
async def test_a_client_is_made_by_its_role(api: Api, role: Role) -> None:
    rule = ROLES[role]
    bindings: dict[str, dict[str, Any]] = {
        "vendor": {"vendorId": "acme"},
        "account": {"accountId": "A"},
        "marketplace": {"marketplaces": [27]},
    }
    bound = bindings.get(rule.binding or "", {})
    if rule.made_by:
        await api.refused("POST", "/v1/clients", 422, "invalid_value", "role", json={"role": role.value})
        return
    made = await api.json("POST", "/v1/clients", 201, json={"role": role.value} | bound)
    assert made["scopes"] == sorted(scope.value for scope in rule.scopes)
    if bound:
        await api.refused("POST", "/v1/clients", 422, "invalid_value", "role", json={"role": role.value})


def test_roles_give_what_their_names_say() -> None:
    assert ROLES[Role.ADMIN].scopes == ADMIN_SCOPES
    assert ROLES[Role.VIEWER].scopes < ROLES[Role.OPERATOR].scopes < ROLES[Role.ADMIN].scopes
    assert not any("write" in scope for scope in ROLES[Role.VIEWER].scopes)
    assert problem_with(Role.VIEWER, account_id=None, vendor_id=None) is None
    assert "vendor" in str(problem_with(Role.PUBLISHER, account_id="A", vendor_id=None))


async def test_names_for_the_same_open_the_same(api: Api) -> None:
    reading = await bearer(api, "deliveries:read")
    assert (await api.ask("GET", "/v1/events", headers=reading)).status == 200
    managing = await bearer(api, "tenants:admin")
    query = {"query": 'mutation { createProductIntegration(input: { name: "x" }) { userErrors { code } } }'}
    assert (await api.ask("POST", "/graphql", json=query, headers=managing)).status == 200
    client, secret = await api.services.clients.create(frozenset({"deliveries:read"}), "", None, 0)
    asked = {"Authorization": f"Bearer {await api.token(client.client_id, secret, scope='events:read')}"}
    assert (await api.ask("GET", "/v1/events", headers=asked)).status == 200
    assert (await api.ask("POST", "/v1/events", json={}, headers=asked)).status == 403
