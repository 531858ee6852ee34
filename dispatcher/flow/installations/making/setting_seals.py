"""Seals the secrets among an installation's settings, and keeps those that are sent back masked. Stores nothing."""

from __future__ import annotations

from typing import Any

from dispatcher.errors import Unprocessable
from dispatcher.policy.secrets.setting_secrets import MASK, secrets_of, with_secrets
from dispatcher.store.secrets.fields import installation_setting
from dispatcher.store.secrets.sealing import Sealer


class SettingSeals:
    """Each secret is sealed for one installation, so that it opens in no other."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def sealed(self, wanted: Any, before: Any, installation_id: str) -> Any:
        """The settings as they are kept. Raises ``Unprocessable`` for a mask with nothing behind it."""
        known = secrets_of(before)
        context = installation_setting(installation_id)

        def seal(name: str, text: str) -> str:
            if not text:
                return text
            if text != MASK:
                return self._unchanged(known.get(name), text, context) or self._sealer.seal(text, context)
            if name not in known:
                raise Unprocessable.of("masked_value", "Nothing is kept behind this mask: give the value.", "settings")
            return known[name]

        return with_secrets(wanted, seal)

    def opened(self, settings: Any, installation_id: str) -> Any:
        """In clear, for whoever sends them."""
        context = installation_setting(installation_id)
        return with_secrets(settings, lambda _, text: self._sealer.open(text, context) if text else text)

    def copied(self, settings: Any, source_id: str, installation_id: str) -> Any:
        """The settings of one installation as another keeps them."""
        return self.sealed(self.opened(settings, source_id), None, installation_id)

    def _unchanged(self, known: str | None, text: str, context: str) -> str | None:
        """The sealed value that is kept already, if it holds the same text."""
        return known if known is not None and self._sealer.open(known, context) == text else None
