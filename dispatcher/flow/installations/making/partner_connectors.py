"""Completes the steps that a partner connector of the account completes, so that nobody is asked for credentials."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.model.connector import AccountConnector
from dispatcher.model.installation import InstallStep
from dispatcher.store.installations.parties.connectors import ConnectorStore
from dispatcher.store.installations.parties.templates import TemplateStore


@dataclass(frozen=True, slots=True)
class PartnerConnectors:
    """One per process. A template says for all connectors that follow it which kind they are."""

    connectors: ConnectorStore
    templates: TemplateStore

    async def completed(self, account_id: str | None, steps: tuple[InstallStep, ...]) -> tuple[InstallStep, ...]:
        """The steps, those completed whose connection is a partner connector that a host application deployed."""
        if account_id is None or not any(step.connection or step.connection_id for step in steps):
            return steps
        by_name: dict[str, str] = {}
        for connector in await self.connectors.of_account(account_id):
            names = await self._partner_names(connector)
            by_name |= dict.fromkeys(names, connector.connection_id)
        return tuple(_completed(step, by_name) for step in steps)

    async def _partner_names(self, connector: AccountConnector) -> tuple[str, ...]:
        """Names that steps may call it by; none of one that is not a partner connector."""
        template = await self.templates.find(connector.template_id) if connector.template_id is not None else None
        if not (template.native if template else connector.partner):
            return ()
        return (connector.name, *([template.name] if template else ()), connector.connection_id)


def _completed(step: InstallStep, by_name: dict[str, str]) -> InstallStep:
    found = by_name.get(step.connection or "") or by_name.get(step.connection_id or "")
    return replace(step, connection_id=found, completed=True) if found else step
