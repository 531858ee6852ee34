"""Applies a publisher's changes to the WORKING version. Pure but for sealing: stores and contacts nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dispatcher.errors import Problem, Unprocessable
from dispatcher.flow.integrations.editing.kept_secrets import bound_secrets
from dispatcher.flow.integrations.fields.headers import problems_of_headers
from dispatcher.flow.integrations.fields.kind import Document, UrlRule, Vault
from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.flow.integrations.fields.transport import open_transport
from dispatcher.flow.integrations.fields.transport_rules import bound_problems, transport_problems
from dispatcher.model.integration import CredentialType, Integration
from dispatcher.store.secrets.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Editor:
    """Changes integrations: seals with ``sealer``, and refuses what ``url_rule`` names."""

    sealer: Sealer
    url_rule: UrlRule

    def apply(self, integration: Integration, changes: Document) -> Integration:
        """The integration with ``changes``. Raises ``Unprocessable`` with everything that is wrong with them."""
        if misfits := list(INTEGRATION.misfits(changes, "")):
            raise Unprocessable(misfits)
        after: Integration = INTEGRATION.merged(integration, changes, self.vault(integration))
        working, moved = bound_secrets(integration.working, after.working, changes)
        problems = [
            *INTEGRATION.problems(after, "", self.url_rule),
            *INTEGRATION.problems_asked(changes, ""),
            *self._joint_problems(integration, after, changes),
            *moved,
        ]
        if problems:
            raise Unprocessable(problems)
        return replace(after, working=working)

    def vault(self, integration: Integration) -> Vault:
        return Vault(self.sealer, integration.id)

    def _joint_problems(self, integration: Integration, after: Integration, changes: Document) -> Iterator[Problem]:
        """Of fields that are right each by itself."""
        was, now = integration.working, after.working
        headers = (changes["headers"] or []) if "headers" in changes else None
        authenticated = now.credentials.type is not CredentialType.NONE
        yield from problems_of_headers(was.headers, headers, authenticated=authenticated)
        if "transport" in changes:
            opened = open_transport(self.sealer, integration.id, now.transport)
            yield from transport_problems(opened, self.url_rule)
        yield from bound_problems(now.credentials, now.transport)
