"""Changes by the API are told to operators where they listen, and costs nothing where they do not."""

from __future__ import annotations

from typing import Any

from dispatcher.model.event_type import EventType
from dispatcher.model.operational import OPERATIONS
from dispatcher.model.queue import EventFilter
from tests.api.conftest import Api, Start

LISTENING = {"operations_url": "https://operations.example/hook", "operations_secret": "whsec_" + "A" * 32}
OWN = EventFilter(types=frozenset({EventType.OPERATIONAL}))


async def send(api: Api, text: str) -> Any:
    body = await api.json("POST", "/graphql", 200, json={"query": f"mutation {{ {text} }}"})
    assert "errors" not in body, body
    (value,) = body["data"].values()
    assert not value.get("userErrors"), value
    return value


async def published(api: Api) -> str:
    fields = 'input: {createUrl: "https://host.example/hook"}'
    made = await send(
        api, f"createProductIntegration({fields}) {{ productIntegration {{ id }} userErrors {{ code }} }}"
    )
    identity = str(made["productIntegration"]["id"])
    await send(api, f'publishProductIntegration(input: {{integrationId: "{identity}"}}) {{ userErrors {{ code }} }}')
    return identity


async def change_hands(api: Api) -> tuple[str, str]:
    """Two integrations that the product P is linked to, one after the other; the second is paused and resumed."""
    first, second = await published(api), await published(api)
    for identity in (first, second):
        linked = f'input: {{productId: "P", integrationId: "{identity}"}}'
        await send(api, f"linkProductIntegration({linked}) {{ userErrors {{ code }} }}")
    for action in ("pause", "resume"):
        await api.json("POST", f"/v1/lanes/{second}/{action}", 200)
    return first, second


async def told(api: Api) -> list[dict[str, Any]]:
    """In the order of what happened."""
    assert api.services.operational is not None
    await api.services.operational.flush()
    events = [one.event for one in (await api.services.queue.page(OWN, None, 50)).items]
    assert {event.integration_id for event in events} <= {OPERATIONS}
    return [event.payload or {} for event in reversed(events)]


async def test_publications_links_and_pauses_are_told_to_operators(start: Start) -> None:
    api = await start(**LISTENING)
    first, second = await change_hands(api)
    messages = await told(api)
    kinds = [(one["kind"], one["data"]["integrationId"]) for one in messages]
    assert sorted(kinds) == sorted(
        [
            *(("integration.published", identity) for identity in (first, second)),
            *(("product.linked", identity) for identity in (first, second)),
            ("integration.paused", second),
            ("integration.resumed", second),
        ]
    )
    moved = next(
        one["data"] for one in messages if one["kind"] == "product.linked" and one["data"]["integrationId"] == second
    )
    assert (moved["productId"], moved["formerIntegrationId"]) == ("P", first)


async def test_nothing_is_queued_where_no_operator_listens(start: Start) -> None:
    api = await start()
    await change_hands(api)
    assert api.services.operational is None
    assert (await api.services.queue.page(OWN, None, 50)).items == []
