"""A product host: checks every notification, does its work once, answers at once or reports the result later.

    python examples/product_host.py --port 9000 --secret whsec_… --client-id … --client-secret …

Without a client id it answers at once. Needs `pip install marketplace-dispatcher`, and nothing of the server's.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from dispatcher.client import ApiError, Unreachable
from dispatcher.receiver import Answer, Event, Receiver, SubscriptionOrder, Verifier, later, succeeded
from dispatcher.receiver.for_aiohttp import notifications
from dispatcher.receiver.results import Results

MAX_BODY_BYTES = 4 * 1024 * 1024


class ProductHost:
    """``done`` holds what it did, by event. A real host keeps its accounts in a database, and the ids beside them."""

    def __init__(self, secret: str, results: Results | None = None) -> None:
        self.done: dict[str, Answer] = {}
        self._results = results
        self._reports: set[asyncio.Task[None]] = set()
        self._receiver = Receiver(Verifier(secret))
        self._receiver.on(SubscriptionOrder)(self.order)
        self._receiver.on(Event)(self.anything_else)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/notifications", notifications(self._receiver))
        app.cleanup_ctx.append(self._reporting)
        return app

    async def order(self, event: SubscriptionOrder) -> Answer:
        """An order is answered with the account that was made for it."""
        return self._finish(event, succeeded(account_identifier=f"account-of-{event.account_id}"))

    async def anything_else(self, event: Event) -> Answer:
        return self._finish(event, succeeded())

    def _finish(self, event: Event, answer: Answer) -> Answer:
        print(f"{event.type} of {event.account_id}, new", flush=True)
        self.done[event.id] = answer
        if self._results is None:
            return answer
        task = asyncio.create_task(self._report(self._results, event.id, answer))
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)
        return later()

    async def _report(self, results: Results, event_id: str, answer: Answer) -> None:
        try:
            await results.report(event_id, answer)
            print("result reported", flush=True)
        except (ApiError, Unreachable) as error:
            print(f"the result of {event_id} could not be reported: {error}", flush=True)

    async def _reporting(self, app: web.Application) -> AsyncIterator[None]:
        if self._results is None:
            yield
            return
        async with self._results:
            yield


def main() -> None:
    arguments = argparse.ArgumentParser(description="A product host that verifies notifications.")
    arguments.add_argument("--port", type=int, default=9000)
    arguments.add_argument("--secret", required=True, help="the integration's signingSecret, whsec_…")
    arguments.add_argument("--dispatcher", default="http://127.0.0.1:8080")
    arguments.add_argument("--client-id", help="of the inbound client: answer 202 and report the result later")
    arguments.add_argument("--client-secret", default="")
    given = arguments.parse_args()
    results = Results(given.dispatcher, given.client_id, given.client_secret) if given.client_id else None
    web.run_app(ProductHost(given.secret, results).app(), host="127.0.0.1", port=given.port, print=None)


if __name__ == "__main__":
    main()
