"""The events and integrations of the benchmark: realistic sizes, no OAuth, so that a bare POST is comparable."""

from __future__ import annotations

import time
from collections.abc import Iterator

from redis.asyncio import Redis

from bench.plan import ACCOUNTS_PER_INTEGRATION
from dispatcher.cli.bench.load import payload
from dispatcher.ids import new_event_id
from dispatcher.model.event import Event
from dispatcher.model.event_type import URL_FIELDS, EventType
from dispatcher.model.integration import Integration, Product, Revision, SigningSecret
from dispatcher.store.definitions.records import write_integration, write_product, write_revision
from dispatcher.store.keys import definitions as keys
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.sealing import Sealer

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BATCH = 1000


def integration_id(number: int) -> str:
    return f"00000000-0000-4000-8001-{number:012d}"


def product_id(number: int) -> str:
    return f"product-{number}"


async def define(redis: Redis, sealer: Sealer, count: int, url: str, first: int = 0) -> None:
    """Write ``count`` published integrations, each with one product, numbered from ``first`` on."""
    urls = {name: url for name in URL_FIELDS if name != "eventStatusUrl"}
    pipeline = redis.pipeline(transaction=False)
    for number in range(first, first + count):
        identity = integration_id(number)
        sealed = sealer.seal(SECRET, sealed_fields.signing_secret(identity))
        integration = Integration(
            identity,
            number,
            f"{number:024x}",
            "Benchmark",
            1,
            1,
            working=Revision(urls=urls),
            published_revision=1,
            linked_products=(product_id(number),),
            signing_secrets=(SigningSecret(sealed, 1),),
        )
        pipeline.set(keys.definition(identity), write_integration(integration))
        pipeline.set(keys.revision(identity, 1), write_revision(Revision(number=1, urls=urls)))
        pipeline.set(keys.product(product_id(number)), write_product(Product(product_id(number), identity)))
        if len(pipeline) >= BATCH:
            await pipeline.execute()
    await pipeline.execute()


def events(queue: QueueStore, count: int, integrations: int, accounts: int, first: int = 0) -> Iterator[Event]:
    """``count`` new events, spread evenly over ``integrations`` and ``accounts`` (account k is always in one place).

    ``first``: number of the first of these integrations.
    """
    now_ms = int(time.time() * 1000)
    numbers = range(first, first + integrations)
    partitions = {number: queue.partition_of(integration_id(number)) for number in numbers}
    for position in range(count):
        account = position % accounts
        number = numbers[account % integrations]
        yield Event(
            id=new_event_id(now_ms, partitions[number]),
            type=EventType.SUBSCRIPTION_CHANGE,
            integration_id=integration_id(number),
            revision=1,
            product_id=product_id(number),
            account_id=f"account-{account}",
            payload=payload(position),
        )


async def fill(queue: QueueStore, count: int, integrations: int, accounts: int | None = None, first: int = 0) -> None:
    """Accept ``count`` events, many at a time."""
    batch: list[Event] = []
    for event in events(queue, count, integrations, accounts or integrations * ACCOUNTS_PER_INTEGRATION, first):
        batch.append(event)
        if len(batch) == BATCH:
            await queue.accept(batch)
            batch = []
    if batch:
        await queue.accept(batch)
