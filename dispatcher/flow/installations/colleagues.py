"""People of an account: who uses an app, of which its product host is told, and who may install and uninstall."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.errors import Conflict, NotFound, Unprocessable
from dispatcher.flow.installations.customers import Customer
from dispatcher.flow.installations.states.transitions import Cause, Transitions
from dispatcher.model.account import User, UserRole
from dispatcher.model.audit_entry import Author
from dispatcher.model.installation import Installation, Moved, Person, Standing
from dispatcher.policy.installing.rules import Moment, assigned, unassigned
from dispatcher.store.audit_log.log import AuditLog, Noting
from dispatcher.store.installations.parties.accounts import AccountStore, user_place
from dispatcher.store.installations.writing.editing import Transaction, transacted

MAX_ASSIGNED = 200
"""People who use one app."""


@dataclass(frozen=True, slots=True)
class Colleagues:
    """One per process."""

    accounts: AccountStore
    transitions: Transitions
    audit: AuditLog

    async def assign(self, installation: Installation, user: User, by: Customer) -> None:
        """``Conflict`` while it is not installed, ``Unprocessable`` when too many use it."""

        def decide(current: Installation, at: Moment) -> Moved:
            if len(current.assigned) >= MAX_ASSIGNED:
                raise Unprocessable.of("limit_reached", f"{MAX_ASSIGNED} people are the most.", "user")
            return assigned(_installed(current), _person(user), at)

        await self.transitions.change(installation.id, decide, self._cause(by, "assignUser"))

    async def unassign(self, installation: Installation, user: User, by: Customer) -> None:
        def decide(current: Installation, at: Moment) -> Moved:
            return unassigned(_installed(current), _person(user), at)

        await self.transitions.change(installation.id, decide, self._cause(by, "unassignUser"))

    async def give_role(self, user: User, role: UserRole, by: Customer) -> None:
        """``Conflict`` when the account would be left without an owner."""

        async def work(transaction: Transaction) -> None:
            current = await transaction.read(user_place(user.id))
            if current is None or current.account_id != by.account.id:
                raise NotFound.of("not_found", "There is no such user in this account.", "user")
            if role is UserRole.MEMBER:
                await self._refuse_last(transaction, current)
            transaction.write(user_place(user.id), replace(current, role=role))

        noting = self._cause(by, "giveRole").noting
        await transacted(self.accounts.redis, work, f"User {user.username}", noting)

    async def _refuse_last(self, transaction: Transaction, leaving: User) -> None:
        """Everything read for it is compared when it is written: two owners cannot leave at once."""
        for one in await self.accounts.users_of(leaving.account_id):
            colleague = await transaction.read(user_place(one.id))
            if colleague and colleague.id != leaving.id and colleague.role is UserRole.OWNER:
                return
        raise Conflict.of("last_owner", "An account needs an owner: make somebody else one first.", "user")

    def _cause(self, by: Customer, action: str) -> Cause:
        author = Author(by.caller.client_id)
        return Cause(Noting(self.audit, author, action, self.transitions.now_ms()), by.user.username)


def _installed(installation: Installation) -> Installation:
    if installation.standing not in (Standing.INSTALLED, Standing.NEEDS_ATTENTION):
        raise Conflict.of("not_installed", "People use what is installed: finish the installation first.")
    return installation


def _person(user: User) -> Person:
    return Person(user.id, user.username)
