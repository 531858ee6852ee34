"""A kind of field: how values of it are taken, kept, shown and refused. Knows one value at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import Problem
from dispatcher.store.secrets.sealing import Sealer, SealError

MASK = "******"
"""Stands for a secret that is shown. Sent back by a client that only changed something else: keep what there is."""

UrlRule = Callable[[str, str], Problem | None]
"""URL and field name → why notifications may not go there, or None. Never resolves a name."""

Document = Mapping[str, Any]
"""Fields by the names that publishers use. Given as a change: a name left out means unchanged, null cleared."""


@dataclass(frozen=True, slots=True)
class Vault:
    """Seals the secrets of one integration."""

    sealer: Sealer
    integration_id: str

    def sealed(self, before: str, wanted: str, context: str) -> str:
        """``wanted`` sealed; ``before`` as it is, where that holds the same, so that nothing has changed."""
        with suppress(SealError):
            if before and self.sealer.open(before, context) == wanted:
                return before
        return self.sealer.seal(wanted, context)


@dataclass(frozen=True, slots=True)
class Kind:
    """A value that is kept as it comes; null makes it ``cleared``."""

    cleared: Any = None

    @property
    def takes(self) -> str:
        """The type of values, in words."""
        return "a text"

    @property
    def meanings(self) -> Mapping[str, str]:
        """Values in words, where there are few."""
        return {}

    def fits(self, wanted: Any) -> bool:
        """True for values of the type that it takes; null is no matter of it."""
        return isinstance(wanted, str)

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        """The value to keep, where ``before`` was kept and ``wanted`` is asked for."""
        return self.cleared if wanted is None else wanted

    def shown(self, kept: Any) -> Any:
        """The value as publishers see it; never a secret."""
        return kept

    def misfits(self, wanted: Any, name: str) -> Iterator[Problem]:
        """The type that is wrong. Nothing else is asked of a value that has it."""
        if wanted is not None and not self.fits(wanted):
            yield Problem("wrong_type", f"{name.rpartition('.')[2]} is {self.takes}.", name)

    def problems_asked(self, wanted: Any, name: str) -> Iterator[Problem]:
        """Everything wrong with a value as it was given, for what cannot be judged once it is kept."""
        yield from ()

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        """Everything wrong with a value that is kept."""
        yield from ()
