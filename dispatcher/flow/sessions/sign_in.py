"""People who sign in by themselves, with user name and password. Never says which of the two was wrong."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.errors import Problem, RequestError
from dispatcher.flow.sessions.password_lockout import PasswordLockout
from dispatcher.flow.sessions.passwords import MAX_PASSWORD_BYTES, Passwords
from dispatcher.model.account import Account, User
from dispatcher.store.installations.parties.accounts import AccountStore

MAX_NAMESAKES = 5
"""Users of one name, each of another marketplace, whose passwords are looked at."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One per process."""

    accounts: AccountStore
    passwords: Passwords
    lockout: PasswordLockout

    async def sign_in(self, username: str, password: str, marketplace_id: int | None) -> tuple[Account, User]:
        """401 for a wrong pair; 429 while this name's passwords are being guessed. None = in any marketplace."""
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            raise _wrong()
        async with self.lockout.guarding(f"sign-in {marketplace_id or ''}", username):
            found = await self.accounts.users_named(username)
            here = [one for one in found if marketplace_id in (None, one.marketplace_id)][:MAX_NAMESAKES]
            if not here:
                await self.passwords.hashed(password)
            for user in here:
                if await self.passwords.matches(password, user.password_hash):
                    return await self.accounts.get(user.account_id), user
            raise _wrong()


def _wrong() -> RequestError:
    text = "User name and password do not belong together."
    return RequestError([Problem("wrong_password", text)], 401)
