"""Keys and an admin client for a developer's machine, made once and kept in the data folder (mode 600).

Never used by the production commands, which take both from the environment or refuse to start.
"""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr

from dispatcher.cli.environment import is_given
from dispatcher.data_folder import open_lock, private_folder, write_private
from dispatcher.errors import ConfigurationError
from dispatcher.settings import Settings
from dispatcher.store.secrets.sealing import new_key

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))


def with_local_secrets(settings: Settings) -> Settings:
    """``settings`` with whatever the environment leaves out: secret key, admin client, loopback as a target.

    ``DISPATCHER_ALLOW_NETWORKS`` that is given and empty means none."""
    folder = private_folder(settings.data_dir)
    found: dict[str, Any] = {}
    with open_lock(folder / "secrets.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not settings.secret_keys:
            found["secret_keys"] = (SecretStr(_kept(folder / "secret.key", new_key)),)
        if settings.admin_client_id is None and settings.admin_client_secret is None:
            found |= _admin(folder / "admin.json")
    if not settings.allow_networks and not is_given("allow_networks"):
        found["allow_networks"] = LOOPBACK
    return settings.model_copy(update=found)


def admin_credentials(settings: Settings) -> tuple[str, str] | None:
    """Client id and secret of the admin client, from the environment or the data folder, if either has one."""
    if settings.admin_client_id and settings.admin_client_secret:
        return settings.admin_client_id, settings.admin_client_secret.get_secret_value()
    path = settings.data_dir / "admin.json"
    if not path.exists():
        return None
    admin = _admin(path)
    return admin["admin_client_id"], admin["admin_client_secret"].get_secret_value()


def _admin(path: Path) -> dict[str, Any]:
    try:
        stored = orjson.loads(_kept(path, _new_admin))
        return {
            "admin_client_id": str(stored["clientId"]),
            "admin_client_secret": SecretStr(str(stored["clientSecret"])),
        }
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{path} cannot be read: delete it, and a new admin client is made") from error


def _new_admin() -> str:
    return orjson.dumps({"clientId": "admin", "clientSecret": secrets.token_urlsafe(32)}).decode()


def _kept(path: Path, make: Callable[[], str]) -> str:
    if not path.exists():
        write_private(path, make())
    return path.read_text().strip()
