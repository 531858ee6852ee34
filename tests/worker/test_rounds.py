"""A worker gathers outcomes only while much runs: what little runs is settled as it ends."""

from __future__ import annotations

import pytest

from dispatcher.model.status import Status
from tests.worker.conftest import Shop
from worker.partition import pauses


@pytest.mark.parametrize("accounts", [1, pauses.FEW])
async def test_an_accounts_next_event_waits_for_no_pause_while_little_runs(
    shop: Shop, accounts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a pause of an hour, a single one would keep these from ending."""
    monkeypatch.setattr(pauses, "GATHER_S", 3600.0)
    integration = await shop.integration()
    ids = {str(account): [await shop.emit(integration, str(account)) for _ in range(5)] for account in range(accounts)}
    await shop.work()
    for of_one in ids.values():
        for event_id in of_one:
            assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    sent = [request.headers["webhook-id"] for request in shop.host.requests]
    for of_one in ids.values():
        assert [event_id for event_id in sent if event_id in of_one] == of_one, "in order, each once"
