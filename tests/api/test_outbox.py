"""The relay of docs/how-to/migrate-from-jobs.md: each row becomes one event, also when it died halfway."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from typing import Any

from dispatcher.client import Client
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, PRODUCT, Api

PAGE = (Path(__file__).parents[2] / "docs/how-to/migrate-from-jobs.md").read_text()


def outbox(*products: str) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE outbox (id INTEGER PRIMARY KEY, event TEXT)")
    events = [{"type": "cancel", "productId": product, "accountId": "acme"} for product in products]
    database.executemany("INSERT INTO outbox (event) VALUES (?)", [(json.dumps(event),) for event in events])
    return database


async def test_the_relay_of_the_page_emits_each_row_once(api: Api) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(program, "docs/how-to/migrate-from-jobs.md", "exec"), names)
    async with Client(str(api.http.make_url("")), ADMIN_ID, ADMIN_SECRET) as client:
        database = outbox(PRODUCT, "unknown", PRODUCT)
        assert await names["relay"](database, client) == 2
        assert [row for (row,) in database.execute("SELECT id FROM outbox")] == [2]
        assert await names["relay"](outbox(PRODUCT), client) == 1
        assert len([event async for event in client.events({"productId": PRODUCT})]) == 2
