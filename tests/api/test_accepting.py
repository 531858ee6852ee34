"""POST /v1/events."""

from __future__ import annotations

from tests.api.conftest import Api


async def test_bi1_valid_event_is_accepted_with_its_address(api: Api) -> None:
    answer = await api.ask("POST", "/v1/events", json={"type": "create", "productId": "P-1", "accountId": "A"})
    body = await answer.json()
    assert answer.status == 202
    assert body == {
        "id": body["id"],
        "eventUrl": f"https://dispatcher.example/api/integration/v1/events/{body['id']}",
        "status": "QUEUED",
    }
    assert answer.headers["Location"] == f"https://dispatcher.example/v1/events/{body['id']}"
