"""The programs of docs/verify.md on what a worker sent: those whose language the gate installs.

Go, Java and Rust are run by hand when their program is changed: their compilers weigh more than all other tools.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pytest

from dispatcher.policy.notification.signing import generate_secret, parse_secret, sign
from tests.programs import ran
from tests.worker.conftest import SECRET, Shop

PAGE = (Path(__file__).parents[2] / "docs/verify.md").read_text()
COMMANDS = {
    "python": [sys.executable, "verify.py"],
    "js": ["node", "verify.mjs"],
    "php": ["php", "verify.php"],
    "ruby": ["ruby", "verify.rb"],
}
"""`.ci/install-programs` installs them."""


async def told(folder: Path, command: list[str], headers: dict[str, str], body: bytes, *secrets: str) -> str:
    """Output of the program: `genuine`, or why not."""
    given = {f"WEBHOOK_{name}": headers[f"webhook-{name.lower()}"] for name in ("ID", "TIMESTAMP", "SIGNATURE")}
    ended = await ran(command, folder, given | {"WEBHOOK_SECRETS": " ".join(secrets)}, stdin=body)
    text = ended.said.strip()
    assert (ended.status == 0) == (text == "genuine"), text
    return text


@pytest.mark.parametrize("language", COMMANDS)
async def test_the_program_of_the_page_verifies_what_a_worker_sent(language: str, shop: Shop, tmp_path: Path) -> None:
    command = COMMANDS[language]
    (text,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / command[1]).write_text(text)
    await shop.work()
    await shop.ended(await shop.emit(await shop.integration()))
    sent = shop.host.requests[-1]
    headers = {name: sent.headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    other = generate_secret()

    def dated(seconds: int) -> dict[str, str]:
        moment = int(time.time()) + seconds
        signature = sign([parse_secret(SECRET)], headers["webhook-id"], moment, sent.body)
        return headers | {"webhook-timestamp": str(moment), "webhook-signature": signature}

    rotating = headers | {"webhook-signature": f"v1a,AAAA v1,é {headers['webhook-signature']}"}
    assert await told(tmp_path, command, headers, sent.body, SECRET) == "genuine"
    assert await told(tmp_path, command, rotating, sent.body, other, SECRET) == "genuine"
    for wrong in (
        told(tmp_path, command, headers, sent.body + b"\n", SECRET),
        told(tmp_path, command, headers, sent.body, other),
        told(tmp_path, command, headers | {"webhook-id": "e-2"}, sent.body, SECRET),
        told(tmp_path, command, headers | {"webhook-signature": "v1,"}, sent.body, SECRET),
    ):
        assert "known secret for these bytes" in await wrong
    for late in (dated(-3600), dated(3600), headers | {"webhook-timestamp": ""}):
        assert "more than five minutes" in await told(tmp_path, command, late, sent.body, SECRET)


def test_every_language_has_a_program() -> None:
    assert set(re.findall(r"^```(\w+)$", PAGE, re.MULTILINE)) == COMMANDS.keys() | {"sh", "go", "java", "rust"}
