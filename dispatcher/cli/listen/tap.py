"""Follows what an integration accepts, and hands each event once to the developer's machine, in order.

Only reads at the API: the host that an integration names gets its own deliveries as ever, and none of these.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from dispatcher.cli.listen.answers import Answer
from dispatcher.cli.listen.local_host import LocalHost
from dispatcher.cli.listen.rendering import Rendered, rendered
from dispatcher.cli.listen.tap_file import TapFile, TapNote
from dispatcher.client import ApiError, Client
from dispatcher.client.answers import ChangeJson
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.status import TERMINAL

Show = Callable[[Rendered, Answer], None]
GONE = 404


class Tap:
    """``last``: what was sent last; ``answers``: the last two to it or to any other, the newest last."""

    def __init__(
        self,
        client: Client,
        integration_id: str,
        host: LocalHost,
        note: TapNote,
        file: TapFile,
        notice: Callable[[str], None],
    ) -> None:
        self._client = client
        self._integration_id = integration_id
        self._host = host
        self._note = note
        self._file = file
        self._turn = asyncio.Lock()
        self._identifiers: dict[str, str] = {}
        self._tries = 1
        self.follower = client.follow({"integrationId": integration_id}, notice, note.position)
        self.last: Rendered | None = None
        self.answers: list[Answer] = []

    async def follow(self, show: Show, limit: int | None = None) -> None:
        """Until ``limit`` events were handed on; None = without end. Goes on where the last one left off."""
        handed = 0
        async for change in self.follower.changes():
            if _is_new(change) and await self._hand_on(change["eventId"], show):
                handed += 1
            self._note.position = self.follower.position
            self._file.write(self._note)
            if handed == limit:
                return

    async def replay(self, show: Show) -> bool:
        """The last one once more, with a signature of now; False = there was none yet."""
        async with self._turn:
            if self.last is None:
                return False
            self._tries += 1
            self._answered(self.last, await self._host.take(self.last, self._tries), show)
        return True

    async def _hand_on(self, event_id: str, show: Show) -> bool:
        one = await self._rendered(event_id)
        if one is None:
            return False
        async with self._turn:
            self.last, self._tries = one, 1
            self._answered(one, await self._host.take(one), show)
        return True

    def _answered(self, one: Rendered, answer: Answer, show: Show) -> None:
        self.answers = [*self.answers[-1:], answer]
        show(one, answer)

    async def _rendered(self, event_id: str) -> Rendered | None:
        """None: it is gone, or its host would not get it either: no URL is configured for its type."""
        try:
            document = await self._client.notification(event_id)
            version = "PUBLISHED" if document["revision"] else "WORKING"
            definition = await self._client.definitions.get(self._integration_id, version)
        except ApiError as error:
            if error.status != GONE:
                raise
            return None
        if not definition.get(TYPE_RULES[EventType(document["type"])].url_field):
            return None
        return rendered(document, definition, await self._identifier(document))

    async def _identifier(self, document: dict[str, Any]) -> str | None:
        """The host's answer to this account's order, which its later notifications carry."""
        account = document["accountId"]
        if account is None or account in self._identifiers:
            return self._identifiers.get(account)
        wanted = {"integrationId": self._integration_id, "accountId": account, "status": "SUCCEEDED"}
        async for order in self._client.events(wanted | {"type": EventType.SUBSCRIPTION_ORDER.value}, 1):
            if order["accountIdentifier"]:
                self._identifiers[account] = order["accountIdentifier"]
        return self._identifiers.get(account)


def _is_new(change: ChangeJson) -> bool:
    """True for an event that was accepted just now, of a type that integrations name a URL for."""
    return (
        change["attempts"] == 0
        and change["status"] not in TERMINAL
        and TYPE_RULES[EventType(change["type"])].configurable
    )
