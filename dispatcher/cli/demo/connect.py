"""The demo's last act: a host application's user clicks Connect and orders, as a browser without scripts would."""

from __future__ import annotations

import asyncio
import re
import time
from html import unescape
from urllib.parse import urlsplit

import aiohttp

from dispatcher.cli.demo.stage import Stage
from dispatcher.cli.demo.story import END_WITHIN_S, LOOK_S, PRODUCT_ID
from dispatcher.errors import DispatcherError
from dispatcher.sample_host import Notification
from dispatcher.sample_host_application import HostApplication

MARKETPLACE = 27
_FORM = re.compile(r'<form method="post" action="([^"]{0,200}/products/[^"]{0,200})"')
_TOKEN = re.compile(r'name="form" value="([^"]+)"')


async def open_marketplace(stage: Stage) -> HostApplication:
    """A marketplace that sells the demo's product, and a host application that shows it. The caller stops it."""
    address = stage.api.address
    application = HostApplication(address, stage.client_id, stage.client_secret, MARKETPLACE)
    await application.start()
    shown = {
        "id": MARKETPLACE,
        "name": "Demo marketplace",
        "productIds": [PRODUCT_ID],
        "allowedOrigins": [application.url],
    }
    form = {"grant_type": "client_credentials", "client_id": stage.client_id, "client_secret": stage.client_secret}
    async with aiohttp.ClientSession(address, raise_for_status=True) as session:
        async with session.post("/oauth/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        async with session.post("/v1/marketplaces", json=shown, headers=headers):
            return application


async def click_connect(application: HostApplication, product_id: str = PRODUCT_ID) -> None:
    """Connect, Install, Order."""
    link = await application.connect()
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(link))
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"Origin": origin}, raise_for_status=True) as browser:
        async with browser.get(link) as apps:
            home = apps.url
        async with browser.get(home / "products" / product_id) as order:
            page = await order.text()
        action, token = _FORM.search(page), _TOKEN.search(page)
        if action is None or token is None:
            raise DispatcherError("the page of the product has no form to order it")
        async with browser.post(origin + unescape(action[1]), data={"form": unescape(token[1])}):
            return


async def ordered(stage: Stage, application: HostApplication) -> Notification | None:
    """The order as the product host received it; None when none came in time."""
    before = {one.event_id for one in stage.host.received}
    await click_connect(application)
    deadline_s = time.monotonic() + END_WITHIN_S
    while time.monotonic() < deadline_s:
        for one in stage.host.received:
            if one.event_id not in before and one.type == "SUBSCRIPTION_ORDER" and one.status == 200:
                return one
        await asyncio.sleep(LOOK_S)
    return None
