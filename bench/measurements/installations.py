"""Redis bytes per installation of four steps, and the time that a list of a thousand takes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from aiohttp import ClientSession, encode_basic_auth

from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, api, deployment
from dispatcher.cli.bench.judging import percentile
from dispatcher.ids import new_hex24, new_installation_id, new_uuid
from dispatcher.model.installation import Installation, InstallStep, Mode, Standing
from dispatcher.model.integration import Integration, Revision
from dispatcher.policy.installing.steps import opened
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.installations.installed.installations import InstallationStore, Written

LISTED = 1000
AT_ONCE = 100
"""Installations that are written in one step."""
ACCOUNTS_EVERY = 10
STEPS = tuple(
    InstallStep(
        name=f"{name} connection",
        description=f"Configure {name} credentials",
        image_url=f"/images/company-logos/{name.lower()}.png",
        completed=True,
        installer_function=f"verify{name}Connection",
        uninstaller_function=f"delete{name}Connection",
        connection_id="56fd5ad0945c2345c4e678ac",
    )
    for name in ("Warehouse", "Ledger", "Payroll", "Storefront")
)
SETTINGS = {"sections": [{"title": "General", "fields": [{"name": "region", "label": "Region", "value": "eu"}]}]}


async def measure(setup: Setup) -> list[Figure]:
    """Memory of many, then lists of one account's thousand through the API."""
    async with deployment() as made:
        size = await _bytes_each(made, setup.plan.installations)
        times_ms = await _lists_ms(made, setup.plan.lists)
    return [
        figure("Redis bytes per installation", "B", [size], note="four steps, settings, identifier, all indexes"),
        figure(f"list of {LISTED:,} installations p95", "ms", [percentile(times_ms, 0.95)], note="with the HTTP"),
    ]


async def _bytes_each(made: Deployment, count: int) -> float:
    before = await _used_bytes(made)
    await _fill(made, count, [f"account-{number}" for number in range(count // ACCOUNTS_EVERY)])
    return (await _used_bytes(made) - before) / count


async def _lists_ms(made: Deployment, rounds: int) -> list[float]:
    await _fill(made, LISTED, ["account"])
    credentials = made.settings["DISPATCHER_ADMIN_CLIENT_ID"], made.settings["DISPATCHER_ADMIN_CLIENT_SECRET"]
    async with api(made) as (_, address), ClientSession() as session:
        headers = {"Authorization": encode_basic_auth(*credentials)}
        form = {"grant_type": "client_credentials"}
        async with session.post(f"{address}/oauth2/token", data=form, headers=headers) as answer:
            token = (await answer.json())["access_token"]
        return [await _list_ms(session, address, token) for _ in range(rounds)]


async def _list_ms(session: ClientSession, address: str, token: str) -> float:
    begun_s = time.perf_counter()
    async with session.get(f"{address}/v1/integrations", headers={"Authorization": f"Bearer {token}"}) as answer:
        body = await answer.read()
        assert answer.status == 200, body
    return (time.perf_counter() - begun_s) * 1000


async def _fill(made: Deployment, count: int, accounts: list[str]) -> None:
    integration, now_ms = await _integration(made), int(time.time() * 1000)
    store = InstallationStore(made.redis, Definitions(made.redis).revision)
    ready = list(_made(count, accounts, integration, now_ms))
    for at in range(0, count, AT_ONCE):
        assert await store.write([Written(None, one) for one in ready[at : at + AT_ONCE]], now_ms)


async def _integration(made: Deployment) -> Integration:
    """Published with the steps that installations of it have."""
    definitions, working = Definitions(made.redis), Revision(install_template=opened(STEPS))
    drafted = await definitions.create(Integration(new_uuid(), 0, new_hex24(), "Ledger", 1, 1, working=working))
    return await definitions.publish(drafted, drafted.modified_ms, replace(working, number=1))


def _made(count: int, accounts: list[str], integration: Integration, now_ms: int) -> Iterator[Installation]:
    """Installed, as most are."""
    for number in range(count):
        yield Installation(
            id=new_installation_id(now_ms),
            account_id=accounts[number % len(accounts)],
            name="Warehouse and ledger",
            created_ms=now_ms,
            modified_ms=now_ms,
            connector_id=integration.connector_id,
            integration_id=integration.id,
            product_id="product-1",
            revision=1,
            install=STEPS,
            mode=Mode.SETTINGS,
            settings=SETTINGS,
            version="1.0.1",
            account_identifier=f"customer-{number}",
            standing=Standing.INSTALLED,
            order_event_id=new_uuid(),
            reported=True,
            transitions=6,
            marketplace_id=27,
            creator="sam.sample@customer.example",
        )


async def _used_bytes(made: Deployment) -> int:
    return int((await made.redis.info("memory"))["used_memory"])
