"""A action for the audit log, and what the log shows of it over HTTP. Holds no test."""

from __future__ import annotations

from typing import Any

from dispatcher.model.audit_entry import Action, Author
from tests.api.conftest import Api
from tests.api.tenants import Tenant, settle_in
from tests.api.worker_hand import WorkerHand

PATH = "/v1/audit"
DEED = Action(Author("someone", ("ops:write",), "192.0.2.1", "r-1"), "pauseLane", "lane", "L", 1_800_000_000_000)


async def entries(api: Api, **query: str) -> list[dict[str, Any]]:
    """Newest first."""
    body = await api.json("GET", PATH, 200, params=query)
    return list(body["data"])


async def newest(api: Api) -> dict[str, Any]:
    return (await entries(api))[0]


async def admin(api: Api) -> Tenant:
    return await settle_in(WorkerHand(api), api, None, "P-1", "A-1")
