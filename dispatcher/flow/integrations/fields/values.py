"""Kinds of single values: texts, names, URLs, numbers, switches, choices, secrets and filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dispatcher.errors import Problem
from dispatcher.flow.integrations.fields.kind import MASK, Kind, UrlRule, Vault
from dispatcher.policy.addresses.launch_urls import MAX_URL_CHARS, is_local_path, launch_url
from dispatcher.policy.integration_filter.filter import filter_problems
from dispatcher.policy.texts import has_control_characters, name_problems, too_long


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """At most ``most`` characters, none of them a control character; without ``most`` any text."""

    cleared: str | None = ""
    most: int | None = None

    def shown(self, kept: Any) -> Any:
        return kept or None

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        if not kept or self.most is None:
            return
        if len(kept) > self.most:
            yield too_long(name, self.most)
        if has_control_characters(kept):
            yield Problem("invalid_text", f"{name.rpartition('.')[2]} holds control characters.", name)


@dataclass(frozen=True, slots=True)
class Texts(Kind):
    """A list of texts; null keeps it."""

    @property
    def takes(self) -> str:
        return "a list of texts"

    def fits(self, wanted: Any) -> bool:
        return isinstance(wanted, list) and all(isinstance(one, str) for one in wanted)

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        return before if wanted is None else tuple(wanted)

    def shown(self, kept: Any) -> Any:
        return list(kept)


@dataclass(frozen=True, slots=True)
class Name(Kind):
    """A name or an id that cannot be blank; null keeps it where it is ``required``."""

    required: bool = False
    most: int = 255

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        if self.required:
            return before if wanted is None else wanted
        return wanted or None

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        if self.required or kept is not None:
            yield from name_problems(kept or "", name, self.most)


@dataclass(frozen=True, slots=True)
class Url(Kind):
    """Somewhere that notifications or token requests go."""

    cleared: str = ""

    def shown(self, kept: Any) -> Any:
        return kept or None

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        if kept and (problem := url_rule(kept, name)):
            yield problem


@dataclass(frozen=True, slots=True)
class PageAddress(Kind):
    """An address that a page links to or shows: absolute, or a path on the page's own server. Empty = nowhere yet."""

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        absolute = kept and len(kept) <= MAX_URL_CHARS and launch_url(kept)
        if kept and not absolute and not is_local_path(kept):
            text = f"Give an http or https URL, or a path such as /images/a.png, of at most {MAX_URL_CHARS} characters."
            yield Problem("invalid_url", text, name)


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """Between ``least`` and ``most``, both included; ``hint`` is said with them."""

    least: float = 0
    most: float = 0
    whole: bool = False
    hint: str = ""

    @property
    def takes(self) -> str:
        return "a whole number" if self.whole else "a number"

    def fits(self, wanted: Any) -> bool:
        return isinstance(wanted, int if self.whole else int | float) and not isinstance(wanted, bool)

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        if kept is not None and not self.least <= kept <= self.most:
            bounds = f"{self.least:.15g} and {self.most:.15g}"
            yield Problem("out_of_range", f"{name} must be between {bounds}{self.hint}.", name)


@dataclass(frozen=True, slots=True)
class Delays(Kind):
    """Seconds, at most ``most`` of them and each up to ``longest_s``."""

    most: int = 0
    longest_s: float = 0.0

    @property
    def takes(self) -> str:
        return "a list of numbers"

    def fits(self, wanted: Any) -> bool:
        return isinstance(wanted, list) and all(Number().fits(one) for one in wanted)

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        return None if wanted is None else tuple(wanted)

    def shown(self, kept: Any) -> Any:
        return None if kept is None else list(kept)

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        delays = kept or ()
        if len(delays) > self.most or any(not 0 <= delay <= self.longest_s for delay in delays):
            text = f"Give at most {self.most} delays, each between 0 and {self.longest_s:.0f} seconds."
            yield Problem("out_of_range", text, name)


@dataclass(frozen=True, slots=True)
class Switch(Kind):
    """On or off; null is off, or leaves it as it is where it is ``kept``."""

    cleared: bool = False
    kept: bool = False

    @property
    def takes(self) -> str:
        return "true or false"

    def fits(self, wanted: Any) -> bool:
        return isinstance(wanted, bool)

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        if wanted is None:
            return before if self.kept else self.cleared
        return wanted


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of ``values`` in any case, or nothing if ``or_empty``. Null clears it, or leaves it where it is ``kept``."""

    values: tuple[str, ...] = ()
    make: Callable[[str], Any] = str
    or_empty: bool = False
    kept: bool = False
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def meanings(self) -> Mapping[str, str]:
        return self.words

    @property
    def takes(self) -> str:
        return f"one of {', '.join(self.values)}"

    def misfits(self, wanted: Any, name: str) -> Iterator[Problem]:
        """The enumeration is the type: a value that is none of it is told as one of another type is."""
        yield from Kind.misfits(self, wanted, name)
        if isinstance(wanted, str) and self._spelt(wanted) not in self.values:
            yield Problem("invalid_value", f"{name.rpartition('.')[2]} must be {self.takes}.", name)

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        if wanted is None:
            return before if self.kept else self.cleared
        return self.make(self._spelt(wanted))

    def _spelt(self, wanted: str) -> str:
        """As ``values`` have it, since other surfaces write some of them in capitals."""
        if self.or_empty and not wanted:
            return str(self.cleared)
        return next((one for one in self.values if one.casefold() == wanted.casefold()), wanted)


def choice(kind: type[StrEnum], cleared: StrEnum, words: Mapping[str, str] | None = None) -> Choice:
    """One member of an enumeration."""
    return Choice(cleared, tuple(one.value for one in kind), kind, words=words or {})


@dataclass(frozen=True, slots=True)
class Secret(Kind):
    """Sealed for ``context``, shown masked. ``check`` judges it in clear, and repeats nothing of it."""

    cleared: str = ""
    context: Callable[[str], str] = str
    check: Callable[[str, str], Problem | None] | None = None

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        if wanted == MASK:
            return before
        return vault.sealed(before, wanted, self.context(vault.integration_id)) if wanted else self.cleared

    def shown(self, kept: Any) -> Any:
        return MASK if kept else None

    def problems_asked(self, wanted: Any, name: str) -> Iterator[Problem]:
        if wanted and wanted != MASK and self.check and (problem := self.check(wanted, name)):
            yield problem


@dataclass(frozen=True, slots=True)
class Condition(Kind):
    """A filter over events (``policy.integration_filter.filter``)."""

    @property
    def takes(self) -> str:
        return "an object"

    def fits(self, wanted: Any) -> bool:
        return isinstance(wanted, dict)

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        if kept is not None:
            yield from filter_problems(kept)
