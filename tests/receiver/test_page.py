"""The programs of docs/receiver.md run as they stand."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_aiohttp.plugin import AiohttpClient
from standardwebhooks import Webhook

from tests.receiver.signed import SECRET, notification

PAGE = (Path(__file__).parents[2] / "docs/receiver.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def run(program: str) -> dict[str, Any]:
    """The names that it leaves."""
    names: dict[str, Any] = {}
    exec(compile(program, "docs/receiver.md", "exec"), names)
    return names


async def test_the_host_of_the_page_answers_an_order(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(run(PROGRAMS[0])["app"])
    body, now = notification("SUBSCRIPTION_ORDER", {"order": {"editionCode": "BASIC"}}), datetime.now(UTC)
    signature = Webhook(SECRET).sign("e-1", now, body.decode())
    headers = {"webhook-id": "e-1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
    answer = await client.post("/notifications", data=body, headers=headers)
    assert await answer.json() == {"success": True, "accountIdentifier": "acme-BASIC"}


def test_every_other_program_of_the_page_is_sound() -> None:
    assert len(PROGRAMS) == 2
    assert callable(run(PROGRAMS[1])["report"])
