"""Access of verbs to the API: its URL, the credentials, and a refusal in words and as an exit status.

From options, else the environment, else what `dispatcher dev` or `dispatcher demo` left in its data folder.
Never gives local credentials to a server elsewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import typer

from dispatcher.cli.beginning import load_settings, run
from dispatcher.cli.local.address_file import announced_addresses
from dispatcher.cli.local.local_secrets import admin_credentials
from dispatcher.cli.terminal.typed_json import raw_bytes
from dispatcher.client import ApiError, Client, Unreachable
from dispatcher.errors import ConfigurationError, Problem
from dispatcher.settings import Settings

DEMO_FOLDER = "demo"
"""Within the data folder."""
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - replaced by an address that can be called
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True)
class Access:
    """``found``: a server that is known to run. ``private_key`` (PEM) or a secret, never both."""

    url: str
    client_id: str
    client_secret: str | None
    found: bool
    private_key: str | None = None

    def client(self) -> Client:
        """Raises ConfigurationError for a key that cannot sign."""
        try:
            return Client(self.url, self.client_id, self.client_secret, private_key=self.private_key)
        except ValueError as error:
            raise ConfigurationError(f"--client-key: {error}") from None


@dataclass(frozen=True, slots=True)
class _Running:
    addresses: list[str]
    folder: Path


@dataclass(frozen=True, slots=True)
class Connection:
    """Options of every verb that calls the API."""

    url: Annotated[str | None, typer.Option(help="Address of the API.")] = None
    client_id: Annotated[str | None, typer.Option(help="API client to act as.")] = None
    client_secret: Annotated[str | None, typer.Option(help="Its secret.")] = None
    client_key: Annotated[Path | None, typer.Option(help="Or a PEM file with its private key.")] = None

    def access(self) -> Access:
        """Raises ConfigurationError: see ``find_access``."""
        return find_access(self.url, self.client_id, self.client_secret, self.client_key)


def find_access(
    url: str | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    client_key: Path | None = None,
) -> Access:
    """Raises ConfigurationError, which says what to set, when no credentials can be found."""
    settings = load_settings()
    key = _key_file(settings, client_secret, client_key)
    running = list(_running(settings))
    wanted = (url or _from_environment(settings) or "").rstrip("/")
    match = next((one for one in running if not wanted or wanted in one.addresses), None)
    address = wanted or (match.addresses[0] if match else reachable(settings.base_url))
    if not address.startswith(("http://", "https://")):
        raise ConfigurationError(f"{address} is no URL of an API: it begins with http:// or https://")
    if key is not None:
        return Access(address, _holder(settings, client_id), None, match is not None, raw_bytes(key).decode("latin-1"))
    pair = _given(client_id, client_secret) or _kept(settings, address, match.folder if match else None)
    if pair is None:
        raise ConfigurationError(
            f"no credentials for {address}: give --client-id and --client-secret, or set "
            "DISPATCHER_ADMIN_CLIENT_ID and DISPATCHER_ADMIN_CLIENT_SECRET (`dispatcher clients create` makes a client)"
        )
    return Access(address, *pair, found=match is not None)


def with_api(access: Access, work: Callable[[Client], Awaitable[T]], *, unreachable: int = 2) -> T:
    """The result of ``work``. A refusal is printed on standard error and ends the program: see ``EXIT_STATUSES``.

    ``unreachable``: exit status where nobody answers.
    """
    try:
        return run(_with_client(access, work))
    except Unreachable as error:
        _complain(_nobody(access, error))
        raise typer.Exit(unreachable) from None
    except ApiError as error:
        _complain(*refusal(access, error))
        raise typer.Exit(EXIT_STATUSES.get(error.status, 1)) from None


EXIT_STATUSES: dict[int, int] = {400: 2, 401: 2, 403: 2, 413: 2, 415: 2, 422: 2}
"""Values that cannot be right and connection settings are 2, whatever else is refused or failed is 1."""


def refusal(access: Access, error: ApiError) -> list[str]:
    """The first line says what was refused; each problem with a field of its own follows on a line of its own."""
    texts = [_line(problem) for problem in error.problems]
    if error.status == 401:
        text = f"{access.url} does not take the credentials of client {access.client_id!r}"
        if access.private_key is not None:
            return [f"{text}: check --client-id and --client-key, and --url", *(f"  {one}" for one in texts)]
        return [
            f"{text}: check --client-id and --client-secret, or the DISPATCHER_ADMIN_CLIENT_ID and _SECRET that you set"
        ]
    if error.status == 403:
        return [f"client {access.client_id!r} may not do this", *(f"  {text}" for text in texts)]
    if not texts:
        return [f"{access.url} answered {error.status}, not as a dispatcher does: check --url"]
    if error.status >= 500 and error.request_id:
        texts.append(f"request id {error.request_id}")
    if len(texts) == 1:
        return texts
    return [f"refused with {error.status}", *(f"  {text}" for text in texts)]


async def _with_client(access: Access, work: Callable[[Client], Awaitable[T]]) -> T:
    async with access.client() as client:
        return await work(client)


def _running(settings: Settings) -> Iterator[_Running]:
    for folder in (settings.data_dir, settings.data_dir / DEMO_FOLDER):
        if addresses := announced_addresses(folder):
            yield _Running([reachable(address) for address in addresses], folder)


def of_running(settings: Settings) -> Settings:
    """The settings with the data folder of the server that verbs find running: the demo's, when nothing else runs."""
    running = None if settings.redis_url else next(_running(settings), None)
    return settings.model_copy(update={"data_dir": running.folder}) if running else settings


def _from_environment(settings: Settings) -> str | None:
    """The address that the environment names; None when it leaves it at the default."""
    if settings.public_base_url:
        return settings.public_base_url
    if not {"host", "port"} & settings.model_fields_set or settings.port == 0:
        return None
    return reachable(settings.base_url)


def reachable(address: str) -> str:
    """A server that listens on every address is called on this machine's own."""
    for wildcard, own in WILDCARDS.items():
        address = address.replace(f"//{wildcard}:", f"//{own}:").replace(f"//[{wildcard}]:", f"//[{own}]:")
    return address


def _key_file(settings: Settings, client_secret: str | None, client_key: Path | None) -> Path | None:
    """The file with a private key that is to be used; none where the option of a secret is given alone."""
    if client_key is not None and client_secret is not None:
        raise ConfigurationError("give either --client-secret or --client-key, not both")
    if client_key is None and settings.client_key_file is not None and settings.admin_client_secret is not None:
        raise ConfigurationError("set either DISPATCHER_CLIENT_KEY_FILE or DISPATCHER_ADMIN_CLIENT_SECRET, not both")
    return client_key or (settings.client_key_file if client_secret is None else None)


def _holder(settings: Settings, client_id: str | None) -> str:
    found = client_id or settings.admin_client_id
    if not found:
        raise ConfigurationError("a key is of a client: give --client-id too, or set DISPATCHER_ADMIN_CLIENT_ID")
    return found


def _given(client_id: str | None, client_secret: str | None) -> tuple[str, str] | None:
    if client_id and client_secret:
        return client_id, client_secret
    if client_id or client_secret:
        raise ConfigurationError(
            "--client-id and its --client-secret, or its --client-key, go together: give both"
            if client_id
            else "--client-secret is of a client: give --client-id too"
        )
    return None


def _kept(settings: Settings, address: str, folder: Path | None) -> tuple[str, str] | None:
    """Of the server that runs on ``folder``, else of the environment, else of the data folder for this machine."""
    if folder is not None and folder != settings.data_dir:
        own = {"admin_client_id": None, "admin_client_secret": None, "data_dir": folder}
        return admin_credentials(settings.model_copy(update=own))
    in_environment = settings.admin_client_id and settings.admin_client_secret
    if folder or in_environment or urlsplit(address).hostname in LOOPBACK_NAMES:
        return admin_credentials(settings)
    return None


def _nobody(access: Access, error: Unreachable) -> str:
    text = f"nothing answers at {access.url} ({error.reason})"
    if access.found:
        return f"{text}: it was running a moment ago; start `dispatcher dev` again"
    return f"{text}: start `dispatcher dev` first, or give --url, or set DISPATCHER_PUBLIC_BASE_URL"


def _line(problem: Problem) -> str:
    return f"{problem.field}: {problem.message}" if problem.field else problem.message or problem.code


def _complain(first: str, *rest: str) -> None:
    typer.secho("\n".join([f"error: {first}", *rest]), fg=typer.colors.RED, err=True)
