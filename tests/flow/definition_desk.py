"""Shared by tests of publishers' use cases: a desk with everything that they need, on a real store."""

from __future__ import annotations

from dataclasses import dataclass

from redis.asyncio import Redis

from dispatcher.errors import Problem, RequestError
from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.integrations.editing.create import Created, create_integration
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.flow.integrations.editing.update import update_integration
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.model.integration import Integration
from dispatcher.policy.addresses.urls import check_url
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.secrets.sealing import Sealer, new_key

NOW_MS = 1_800_000_000_000
URL = "https://example.com/notifications"


def url_rule(url: str, field: str) -> Problem | None:
    return check_url(url, require_https=False, field=field)


@dataclass(frozen=True, slots=True)
class Desk:
    definitions: Definitions
    editor: Editor

    @property
    def sealer(self) -> Sealer:
        return self.editor.sealer

    async def create(self, changes: Document | None = None) -> Created:
        wanted = changes if changes is not None else {"createUrl": URL}
        return await create_integration(self.definitions, self.editor, wanted, NOW_MS)

    async def update(self, any_id: str, changes: Document) -> Integration:
        return await update_integration(self.definitions, self.editor, any_id, changes, NOW_MS + 1)

    async def published(self, changes: Document | None = None) -> Integration:
        created = await self.create(changes)
        return await publish(self.definitions, created.integration.id, "client", NOW_MS)


def desk_on(redis: Redis) -> Desk:
    return Desk(Definitions(redis), Editor(Sealer([new_key()]), url_rule))


def told(error: RequestError) -> list[tuple[str, str | None]]:
    """Code and field of everything that an error names."""
    return [(problem.code, problem.field) for problem in error.problems]
