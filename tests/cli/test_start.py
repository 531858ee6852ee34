"""How light the command is to start, as a program of its own."""

from __future__ import annotations

import subprocess
import sys


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from dispatcher.cli.main import build; build(['--help']); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"aiohttp", "redis", "pydantic", "strawberry", "arq", "authlib"} & set(loaded)


def test_the_api_loads_no_graphql_before_it_is_asked_for() -> None:
    code = "import sys, dispatcher.cli.processes.serve; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"graphql", "strawberry"} & set(loaded)
    assert "dispatcher.api.graphql.routes" in loaded
