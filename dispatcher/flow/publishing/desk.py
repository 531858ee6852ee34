"""Publishers' work on integrations: create, change, publish, link, delete, with all that follows from each.

GraphQL, REST and pages call this one. Never answers anybody and never checks a right.
"""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.flow.integrations.editing.change import Editor
from dispatcher.flow.integrations.editing.create import create_integration
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.flow.integrations.editing.update import delete_integration, update_integration
from dispatcher.flow.integrations.fields.credential_rules import blank_ends
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.flow.integrations.fields.records import Affects
from dispatcher.flow.integrations.fields.table import affected
from dispatcher.flow.integrations.fields.transport_rules import transport_warnings
from dispatcher.flow.integrations.products.link import CLAIMED, link, moved_from, unlink
from dispatcher.flow.pings.schedule import plan_probes
from dispatcher.flow.publishing.waiting import refuse_waiting
from dispatcher.model.integration import Integration, Product, Revision
from dispatcher.model.operational import Notify, OperationalEvent, OperationalKind
from dispatcher.model.precondition import Precondition
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.queue.events import QueueStore


@dataclass(frozen=True, slots=True)
class Drafted:
    """A WORKING version as it was saved. ``signing_secret`` is in clear, and only there when it was created."""

    integration: Integration
    warnings: list[str]
    signing_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Published:
    integration: Integration
    revision: Revision | None
    """None: another one was published, and this one deleted, at the same moment."""


@dataclass(frozen=True, slots=True)
class Linked:
    """``former``: id of the integration that the product was taken from."""

    product: Product
    integration: Integration
    former: str | None
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class IntegrationDesk:
    """``definitions`` within reach of the caller, ``by`` the caller's client id, at one moment.

    Each raises ``NotFound``, ``Conflict`` or ``Unprocessable``. ``expected`` of the last change, as the caller read it.
    """

    definitions: Definitions
    editor: Editor
    queue: QueueStore
    notify: Notify
    by: str
    now_ms: int

    async def create(self, document: Document) -> Drafted:
        """A new WORKING version. None of its URLs is contacted."""
        created = await create_integration(self.definitions, self.editor, document, self.now_ms)
        await plan_probes(self.definitions, created.integration)
        return Drafted(created.integration, self._warnings(created.integration, document), created.signing_secret)

    async def change(self, any_id: str, changes: Document, expected: Precondition | None = None) -> Drafted:
        """The WORKING version with ``changes``; what is published stays as it is."""
        changed = await update_integration(self.definitions, self.editor, any_id, changes, self.now_ms, expected)
        if Affects.PINGS in affected(changes):
            await plan_probes(self.definitions, changed)
        return Drafted(changed, self._warnings(changed, changes))

    async def publish(self, any_id: str, expected: Precondition | None = None) -> Published:
        """The WORKING version frozen as the next revision, which new events use from now on."""
        done = await publish(self.definitions, any_id, self.by, self.now_ms, expected)
        self._tell(OperationalKind.INTEGRATION_PUBLISHED, done.id, revision=done.published_revision)
        return Published(done, await self.definitions.revision(done.id, done.published_revision or 0))

    async def link(self, product_id: str, any_id: str) -> Linked:
        """The product, whose events the integration hears of from now on."""
        before = await self.definitions.product(product_id)
        product = await link(self.definitions, product_id, any_id, self.now_ms)
        owner = await self.definitions.needed(any_id)
        former = moved_from(before, product)
        self._tell(OperationalKind.PRODUCT_LINKED, owner.id, productId=product.id, formerIntegrationId=former)
        moved = [f"The product was linked to {former}, which hears of its events no more."] if former else []
        return Linked(product, owner, former, [*moved, *([CLAIMED] if product.claimed else [])])

    async def unlink(self, product_id: str, any_id: str) -> Linked:
        """The product, whose events the integration hears of no more."""
        product = await unlink(self.definitions, product_id, any_id, self.now_ms)
        owner = await self.definitions.needed(any_id)
        self._tell(OperationalKind.PRODUCT_UNLINKED, owner.id, productId=product.id)
        return Linked(product, owner, owner.id, [])

    async def delete(
        self, any_id: str, expected: Precondition | None = None, *, discard_waiting: bool = False
    ) -> Integration:
        """The integration that was removed with its revisions; no product may be linked to it.

        Nor may events of it wait, unless they are to be discarded.
        """
        integration = await self.definitions.needed(any_id)
        if not discard_waiting and not integration.linked_products:
            await refuse_waiting(integration.id, self.queue)
        gone = await delete_integration(self.definitions, integration.id, expected)
        await self.queue.resume(gone.id)  # a pause would keep its events from their end for ever
        return gone

    def _warnings(self, integration: Integration, given: Document) -> list[str]:
        return [*transport_warnings(integration.working, self.now_ms), *blank_ends(given)]

    def _tell(self, kind: OperationalKind, integration_id: str, **detail: str | int | None) -> None:
        self.notify(OperationalEvent(kind, integration_id, self.now_ms, detail=detail))
