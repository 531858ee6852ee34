"""Services for installing, put together once, for JSON surfaces and pages alike."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.deployment import Deployment
from dispatcher.api.session_counts import SessionCounts
from dispatcher.flow.connectors.authorizing import Authorizing
from dispatcher.flow.connectors.connecting import Connecting
from dispatcher.flow.connectors.connectors import Connectors
from dispatcher.flow.connectors.erasing import ConnectorRemoval
from dispatcher.flow.connectors.plan import ConnectorPlanner
from dispatcher.flow.connectors.reauthentication import Reauthentication
from dispatcher.flow.sessions.open_session import SessionMaker
from dispatcher.flow.sessions.password_lockout import PasswordLockout
from dispatcher.flow.sessions.passwords import Passwords
from dispatcher.flow.sessions.sign_in import SignIn
from dispatcher.store.access.rate_limits import RateLimits
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.connectors import ConnectorStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.installations.parties.sessions import SessionStore
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.secrets.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Installing:
    accounts: AccountStore
    templates: TemplateStore
    connectors: Connectors
    sessions: SessionMaker
    links: SessionStore
    sign_in: SignIn
    passwords: Passwords
    removal: ConnectorRemoval
    counts: SessionCounts


INSTALLING = web.AppKey("installing", Installing)
AUTHORIZED_PATH = "/account/authorized"
"""Users come back to it from the authorization server of a connector's template."""
AUTHORIZING = web.AppKey("authorizing", Authorizing)
CONNECTING = web.AppKey("connecting", Connecting)
"""Credentials that users type in; it has workers try them."""


def build_installing(
    deployment: Deployment,
    redis: StoreClient,
    cache: DefinitionCache,
    sealer: Sealer,
    password_failures: int,
    reauthentication: Reauthentication,
) -> Installing:
    """``password_failures``: wrong passwords per minute for one user, after which none is looked at."""
    accounts, templates, passwords = AccountStore(redis), TemplateStore(redis), Passwords()
    counts = SessionCounts()
    lockout = PasswordLockout(RateLimits(redis), password_failures, counts.password)
    planner = ConnectorPlanner(templates, cache)
    connectors = Connectors(ConnectorStore(redis), templates, planner, sealer, deployment.url_problem, reauthentication)
    return Installing(
        accounts,
        templates,
        connectors,
        SessionMaker(MarketplaceStore(redis), accounts, connectors, passwords, lockout),
        SessionStore(redis),
        SignIn(accounts, passwords, lockout),
        passwords,
        ConnectorRemoval(connectors.store, reauthentication.installations, reauthentication),
        counts,
    )
