"""Pages about integrations, customers and the deployment in a real browser: accessible, never wider than the screen."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from tests.api.console.conftest import Visitor
from tests.api.console.test_customers import furnish
from tests.api.console.test_look import signed_in
from tests.browser import DESKTOP, PHONE, Visitors, assert_accessible, assert_fits, keep_picture

TABS = ("", "/edit", "/urls", "/credentials", "/keys", "/revisions", "/pings")


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")])
async def test_every_record_is_accessible_and_fits(
    visitors: Visitors, visitor: Visitor, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    account_id, installation_id, _ = await furnish(visitor)
    page = await visitors.page(width, scheme)
    await signed_in(page, visitor)
    own = [f"integrations/{visitor.integration.id}{tab}" for tab in TABS]
    found = (f"installations/{installation_id}", f"accounts/{account_id}", "marketplaces/27", "connector-templates")
    whole = ("audit", "clients", "sessions", "settings")
    for number, path in enumerate(("integrations", *own, "installations", *found, *whole)):
        await page.goto(f"{visitor.origin}/console/{path}")
        await keep_picture(page, tmp_path, f"{number}")
        await assert_accessible(page)
        await assert_fits(page)
