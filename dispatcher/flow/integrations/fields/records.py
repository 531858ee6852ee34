"""Fields as rows, and kinds made of rows: a record, and a list of records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from dispatcher.errors import Problem
from dispatcher.flow.integrations.fields.kind import Document, Kind, UrlRule, Vault
from dispatcher.policy.unknown_fields import unknown_field

_MAX_HINTS = 20
"""Unknown fields of one object that are compared with the known ones; more are no misspelling."""


class Affects(StrEnum):
    """The part of the product that a field changes."""

    LISTING = "listing"
    """Finding the integration, and who can."""
    ACCEPTING = "accepting"
    """Accepting events, and filtering them."""
    DELIVERY = "delivery"
    """Requests to the host, and reading its answers."""
    INSTALLING = "installing"
    SIGN_ON = "sign-on"
    """The way of users to the product."""
    PINGS = "pings"


@dataclass(frozen=True, slots=True)
class Field:
    """One row. ``attribute`` is the dotted path from the record that holds it; a part of it may be a dict's key."""

    name: str
    """As publishers write it."""
    attribute: str
    kind: Kind
    affects: Affects = Affects.DELIVERY
    given: bool = True
    """False: it is shown, and changed in another way or not at all."""
    says: str = ""
    """Words for people, on every surface: a label, and after the first ``; `` a hint. Without any it is its name."""
    example: str | None = None

    @property
    def label(self) -> str:
        return self.says.partition("; ")[0] or self.name

    @property
    def hint(self) -> str:
        return self.says.partition("; ")[2]

    @property
    def description(self) -> str:
        """All that is said of it, values in words included."""
        meanings = "; ".join(f"{value} = {text}" for value, text in self.kind.meanings.items())
        return f"{self.says}: {meanings}" if meanings else self.says


@dataclass(frozen=True, slots=True)
class Record(Kind):
    """A dataclass, field by field. Null makes a new one of it, or none where it is ``optional``."""

    make: type[Any] = dict
    fields: tuple[Field, ...] = ()
    optional: bool = False
    is_set: Callable[[Any], bool] = bool
    """False for a record that is shown as null."""
    check: Callable[[Any], Iterator[Problem]] | None = None
    """Problems that join several of its fields."""

    @property
    def takes(self) -> str:
        return "an object"

    def fits(self, wanted: Any) -> bool:
        return isinstance(wanted, dict)

    def asked(self, wanted: Document) -> Iterator[Field]:
        """Rows of the fields that are named."""
        return (one for one in self.fields if one.given and one.name in wanted)

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        if wanted is None:
            return None if self.optional else self.make()
        after = self.make() if before is None else before
        for one in self.asked(wanted):
            value = one.kind.merged(read(after, one.attribute), wanted[one.name], vault)
            after = written(after, one.attribute, value)
        return after

    def shown(self, kept: Any) -> Any:
        if kept is None or not self.is_set(kept):
            return None
        return {one.name: one.kind.shown(read(kept, one.attribute)) for one in self.fields}

    def misfits(self, wanted: Any, name: str) -> Iterator[Problem]:
        yield from Kind.misfits(self, wanted, name)
        if isinstance(wanted, dict):
            known = {one.name for one in self.fields if one.given}
            unknown = sorted(wanted.keys() - known)
            likely = known if len(unknown) <= _MAX_HINTS else ()
            for one_more in unknown:
                yield unknown_field(_in(name, one_more), one_more, likely)
            for one in self.asked(wanted):
                yield from one.kind.misfits(wanted[one.name], _in(name, one.name))

    def problems_asked(self, wanted: Any, name: str) -> Iterator[Problem]:
        for one in self.asked(wanted or {}):
            yield from one.kind.problems_asked(wanted[one.name], _in(name, one.name))

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        if kept is None:
            return
        for one in self.fields:
            if one.given:
                yield from one.kind.problems(read(kept, one.attribute), _in(name, one.name), url_rule)
        if self.check:
            yield from self.check(kept)


@dataclass(frozen=True, slots=True)
class Records(Kind):
    """A list of dataclasses, replaced as a whole. Null empties it."""

    cleared: tuple[Any, ...] = ()
    make: type[Any] = dict
    fields: tuple[Field, ...] = ()
    most: int = 0
    plural: str = "entries"
    distinct: bool = False
    """No two have the same first field."""

    @property
    def takes(self) -> str:
        return "a list of objects"

    def fits(self, wanted: Any) -> bool:
        return isinstance(wanted, list) and all(isinstance(one, dict) for one in wanted)

    def merged(self, before: Any, wanted: Any, vault: Vault) -> Any:
        return tuple(self.made(one, vault) for one in wanted or ())

    def made(self, wanted: Document, vault: Vault) -> Any:
        """One of them, with null for whatever is left out."""
        values = {one.attribute: one.kind.merged(one.kind.cleared, wanted.get(one.name), vault) for one in self.fields}
        return self.make(**values)

    def shown(self, kept: Any) -> Any:
        return [{one.name: one.kind.shown(getattr(entry, one.attribute)) for one in self.fields} for entry in kept]

    def misfits(self, wanted: Any, name: str) -> Iterator[Problem]:
        yield from Kind.misfits(self, wanted, name)
        if wanted and self.fits(wanted):
            first = self.fields[0].name
            for position, entry in enumerate(wanted[: self.most]):
                if entry.get(first) is None:
                    yield Problem("missing_field", "This field is required.", f"{name}.{position}.{first}")
                yield from Record(fields=self.fields).misfits(entry, f"{name}.{position}")

    def problems(self, kept: Any, name: str, url_rule: UrlRule) -> Iterator[Problem]:
        if len(kept) > self.most:
            yield Problem("limit_reached", f"At most {self.most} {self.plural}.", name)
        for position, entry in enumerate(kept[: self.most]):
            for one in self.fields:
                value = getattr(entry, one.attribute)
                yield from one.kind.problems(value, f"{name}.{position}.{one.name}", url_rule)
        if self.distinct:
            yield from self._repeated(kept[: self.most], name)

    def _repeated(self, kept: Sequence[Any], name: str) -> Iterator[Problem]:
        first, seen = self.fields[0], set()
        for position, entry in enumerate(kept):
            identity = getattr(entry, first.attribute)
            if identity in seen:
                text = f"The {first.name} {identity!r} is given twice."
                yield Problem("duplicate_field", text, f"{name}.{position}.{first.name}")
            seen.add(identity)


def read(holder: Any, path: str) -> Any:
    """The value at a dotted path; None for a key that a dict on the way does not have."""
    for part in path.split("."):
        holder = holder.get(part) if isinstance(holder, dict) else getattr(holder, part)
    return holder


def written(holder: Any, path: str, value: Any) -> Any:
    """``holder`` with the value at that path; a dict on the way loses the key of one that is empty."""
    part, _, rest = path.partition(".")
    inner = written(read(holder, part), rest, value) if rest else value
    if not isinstance(holder, dict):
        return replace(holder, **{part: inner})
    return {**holder, part: inner} if inner else {key: one for key, one in holder.items() if key != part}


def _in(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
