"""Variables that look like settings and are none: misspelt ones, and those that Kubernetes puts beside a Service.

Repeats no value, since a misspelt variable may hold a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches

from dispatcher.errors import ConfigurationError
from dispatcher.settings import PREFIX, Settings

_INJECTED = re.compile(r"_SERVICE_HOST$|_SERVICE_PORT$|_SERVICE_PORT_|_PORT_[0-9]{1,5}_(TCP|UDP|SCTP)")
_ADDRESS = re.compile(r"(tcp|udp|sctp)://")

ELSEWHERE = frozenset({"DISPATCHER_URL", "DISPATCHER_PUBLISH", "DISPATCHER_TEST_FULL"})
"""Read by examples, by the compose file and by the tests."""


def refuse_misspelt(environ: Mapping[str, str] = os.environ) -> None:
    """Raises ConfigurationError with every variable that no setting has: a process would run without it."""
    if found := misspelt(environ):
        raise ConfigurationError(" ".join([*found, "(`dispatcher config` lists every setting)"]))


def misspelt(environ: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence on each variable that begins as ours do and is no setting."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    ours = sorted(name for name in environ if name.upper().startswith(PREFIX))
    odd = [name for name in ours if name.upper() not in known | ELSEWHERE and not _is_injected(name, environ[name])]
    return [_sentence(name, known) for name in odd]


def hint_on_kubernetes(environ: Mapping[str, str] = os.environ) -> str | None:
    """Names what Kubernetes injected, which is no setting of ours, and how to be rid of it."""
    found = sorted(name for name in environ if _is_injected(name, environ[name]))
    if not found:
        return None
    return (
        f"{', '.join(found[:3])}{' and more' if len(found) > 3 else ''}: put there by Kubernetes for a Service, and "
        "no settings; enableServiceLinks: false in the pod, or another name of the Service, takes them away."
    )


def remarks(environ: Mapping[str, str] = os.environ) -> list[str]:
    """All of the above, for who only warns."""
    hint = hint_on_kubernetes(environ)
    return [*misspelt(environ), *([hint] if hint else [])]


def is_given(setting: str, environ: Mapping[str, str] = os.environ) -> bool:
    """True when the environment names the setting, be it empty."""
    return f"{PREFIX}{setting}".upper() in {name.upper() for name in environ}


def _sentence(name: str, known: set[str]) -> str:
    tails = {one.removeprefix(PREFIX) for one in known}
    near = get_close_matches(name.upper().removeprefix(PREFIX), tails, n=1, cutoff=0.7)
    return f"{name} is no setting{f': did you mean {PREFIX}{near[0]}?' if near else '; take it away.'}"


def _is_injected(name: str, value: str) -> bool:
    """True for a variable that Kubernetes sets in every pod beside a Service whose name begins with ``dispatcher``."""
    if not name.startswith(PREFIX):
        return False
    return _INJECTED.search(name) is not None or (name.endswith("_PORT") and _ADDRESS.match(value) is not None)
