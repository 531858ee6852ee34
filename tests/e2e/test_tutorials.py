"""The tutorials are run as they stand, and what they show is what comes out.

Ports are replaced by free ones. Where a page asks for a click, the sample host application's user clicks.
"""

from __future__ import annotations

import re
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.shown import END, ROOT, Block, assert_shown, blocks_of, fill_checkout, run
from tests.ports import free_ports

pytestmark = pytest.mark.slow

BY_HAND = "<!-- by hand -->"
CLICK = """```sh tutorial
python - <<'EOF'
import asyncio, json
from dispatcher.cli.demo.connect import click_connect
from dispatcher.sample_host_application import HostApplication

made = json.load(open("partner.json"))
application = HostApplication("http://127.0.0.1:8080", made["clientId"], made["clientSecret"], 5, port=8081)
asyncio.run(click_connect(application, "notes"))
EOF
```
"""
PAGES = {
    path.stem: blocks_of(path.read_text().replace(BY_HAND, CLICK))
    for path in sorted((ROOT / "docs/tutorials").glob("*.md"))
}
QUICK = Path(__file__).with_name("quick_verbs.py")
VERBS = (
    "events.emit",
    "events.explain",
    "events.listing",
    "jobs.dead_letters",
    "jobs.deliver_now",
    "jobs.redeliver",
    "operating.pausing",
    "operating.queue",
    "operating.status",
    "pinging.verb",
    "publishing.integrations",
    "storage.audit",
    "storage.clients",
    "storage.doctor",
)
"""Modules of ``dispatcher.cli`` that tutorials use; others are imported when they are."""
START = f"""
"$PYTHON" "{QUICK}" serve "$PWD/verbs" {" ".join(f"dispatcher.cli.{verb}" for verb in VERBS)} > /dev/null 2>&1 &
until [ -S verbs ]; do sleep 0.1; done
dispatcher() {{
  if [ "$1" = dev ]; then exec .venv/bin/dispatcher "$@"; else "$PYTHON" -S -E "{QUICK}" run "$PWD/verbs" "$@"; fi
}}
"""
PORTS = ("8080", "8081", *(str(port) for port in range(9001, 9006)))


def steps(page: list[Block]) -> list[Block]:
    return [block for block in page if block.tag == "tutorial"]


def printed_by(page: list[Block]) -> list[str]:
    """Output of each step."""
    begin = free_ports(len(PORTS))
    free = {port: str(begin + place) for place, port in enumerate(PORTS)}
    script = START + "".join(f"{step.text}echo; echo '{END}'\n" for step in steps(page)) + "true\n"
    script = re.sub(rf"\b({'|'.join(PORTS)})\b", lambda found: free[found[1]], script)
    script = script.replace(
        "host_application.py ", f"host_application.py --dispatcher http://127.0.0.1:{free['8080']} "
    )
    with tempfile.TemporaryDirectory(prefix="dr-", dir="/tmp") as name:
        fill_checkout(Path(name))
        return run(["bash", "-c", script], Path(name), 200, DISPATCHER_PORT=free["8080"], PYTHON=sys.executable).split(
            END
        )


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", PAGES)
def test_tutorial_prints_what_it_shows(name: str) -> None:
    page = PAGES[name]
    printed, own = printed_by(page), steps(page)
    shown = [(before, block) for before, block in pairwise(page) if block.language == "text"]
    assert shown
    for before, block in shown:
        assert_shown(block.text, printed[own.index(before)])


def test_tutorials_begin_alike() -> None:
    assert len({steps(page)[0] for page in PAGES.values()}) == 1
