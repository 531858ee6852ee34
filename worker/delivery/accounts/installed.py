"""Completes events of installations at the moment of sending, with what no stored event may hold.

A call about a step gets a one-time bearer; masked secrets among settings get their values as they are now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dispatcher.flow.installations.making.setting_seals import SettingSeals
from dispatcher.model.event import Event
from dispatcher.model.event_type import STEP_TYPES, EventType
from dispatcher.policy.secrets.setting_secrets import MASK, secrets_of, with_secrets
from dispatcher.store.installations.installed.bearers import Bearers
from dispatcher.store.installations.installed.installations import InstallationStore

_CONFIGURATION = "configuration"


class Completed(NamedTuple):
    """The event to send, and texts in it to keep out of whatever is stored of the answer."""

    event: Event
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InstalledEvents:
    """One per process."""

    bearers: Bearers
    store: InstallationStore
    seals: SettingSeals

    async def completed(self, event: Event) -> Completed:
        if event.subscription_id is None:
            return Completed(event)
        if event.type in STEP_TYPES:
            return await self._with_bearer(event, event.subscription_id)
        if event.type is EventType.SUBSCRIPTION_CHANGE and MASK in secrets_of(_settings(event)).values():
            return await self._with_secrets(event, event.subscription_id)
        return Completed(event)

    async def _with_bearer(self, event: Event, installation_id: str) -> Completed:
        token = await self.bearers.mint(installation_id)
        return Completed(event._replace(payload={**(event.payload or {}), "bearerToken": token}), (token,))

    async def _with_secrets(self, event: Event, installation_id: str) -> Completed:
        found = await self.store.find(installation_id)
        if found is None:
            return Completed(event)
        known = secrets_of(self.seals.opened(found.installation.settings, installation_id))
        settings = with_secrets(_settings(event), lambda name, text: known.get(name, text) if text == MASK else text)
        return Completed(
            event._replace(payload={**(event.payload or {}), _CONFIGURATION: settings}), (*known.values(),)
        )


def _settings(event: Event) -> object:
    return (event.payload or {}).get(_CONFIGURATION)
