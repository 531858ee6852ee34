"""Roles of people who sign in elsewhere, by their groups there. Pure; never a role by default."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from dispatcher.model.roles import Role

GIVEN: tuple[Role, ...] = (Role.VIEWER, Role.OPERATOR, Role.PUBLISHER, Role.ADMIN)
"""Roles that people can have; the others are a machine's."""
_FORM = "give GROUP=ROLE with one of viewer, operator, admin or publisher:VENDOR, comma-separated"


@dataclass(frozen=True, slots=True)
class GroupRole:
    """Members of ``group`` have ``role``; a publisher's ``vendor_id`` is whose integrations these are."""

    group: str
    role: Role
    vendor_id: str | None = None

    @property
    def text(self) -> str:
        """As the setting has it, without the group."""
        return f"{self.role.value}:{self.vendor_id}" if self.vendor_id else self.role.value


def read_group_role(text: str) -> GroupRole:
    """``ops=operator`` or ``acme=publisher:vendor-7``. Raises ``ValueError`` with words for whoever wrote it."""
    group, equals, given = text.rpartition("=")
    name, colon, vendor_id = given.strip().partition(":")
    role = next((one for one in GIVEN if one.value == name.strip()), None)
    if not (equals and group.strip() and role):
        raise ValueError(f"{text!r} cannot be read: {_FORM}")
    if (role is Role.PUBLISHER) != bool(colon and vendor_id.strip()):
        raise ValueError(f"{text!r}: a publisher, and no other role, is of one vendor; {_FORM}")
    return GroupRole(group.strip(), role, vendor_id.strip() or None)


def role_of(groups: Collection[str], known: Sequence[GroupRole]) -> GroupRole | None:
    """The first of ``known`` whose group is among ``groups``: the setting's order decides."""
    return next((one for one in known if one.group in groups), None)
