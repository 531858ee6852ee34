"""The connection form as a browser uses it: typed, tried, saved; or authorized at the product's own server."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from aiohttp import ClientResponse

from dispatcher.model.installation import Standing
from tests.hosts import Reply
from tests.waiting import until
from tests.worker.connector_parts import PRODUCT, HostApplication, app
from tests.worker.test_authorizing import Issuer, issuer, user
from tests.worker.test_connecting import NAME, Page, page

__all__ = ["app", "issuer", "page", "user"]


class Browser:
    """Somebody who opened the link."""

    def __init__(self, app: HostApplication, installation_id: str) -> None:
        self.app = app
        self.here = f"/launch/marketplace/27/installations/{installation_id}"
        self.form = f"{self.here}/connections/{quote(NAME)}"

    async def get(self, path: str) -> ClientResponse:
        return await self.app.http.get(path, allow_redirects=False)

    async def look(self, path: str, status: int = 200) -> str:
        answer = await self.get(path)
        text = await answer.text()
        assert answer.status == status, text
        return html.unescape(text)

    async def send(self, **fields: str) -> ClientResponse:
        """The form, as the page has it."""
        return await self.send_again(await self.token(), **fields)

    async def token(self) -> str:
        """Open the form."""
        token = re.search(r'name="form" value="([^"]+)"', await self.look(self.form))
        assert token is not None
        return token[1]

    async def send_again(self, token: str, **fields: str) -> ClientResponse:
        origin = {"Origin": "http://dispatcher.test", "Sec-Fetch-Site": "same-origin"}
        data = {"form": token} | fields
        return await self.app.http.post(self.form, data=data, headers=origin, allow_redirects=False)


async def browser_of(page: Page) -> Browser:
    browser = Browser(page.app, page.installation.id)
    await opened(page, browser)
    return browser


async def opened(page: Page, browser: Browser) -> str:
    """Target of a new link."""
    body = {
        "MarketplaceId": 27,
        "Username": page.customer.user.username,
        "Password": "password",
        "AccountId": page.customer.account.id,
    }
    made = await page.app.json("POST", "/v1.0/users/marketplace", body)
    link = urlsplit(made["MarketplaceUrl"])
    answer = await browser.get(f"{link.path}?{link.query}")
    assert answer.status == 302
    return urlsplit(answer.headers["Location"]).path


async def test_credentials_that_work_are_saved_and_the_step_is_done(page: Page) -> None:
    browser = await browser_of(page)
    assert browser.form in await browser.look(browser.here)
    answer = await browser.send(secret="typed-key-4711")
    assert (answer.status, answer.headers["Location"]) == (303, f"{browser.here}?said=connected")
    assert (await page.steps())[0].completed
    text = await browser.look(browser.form)
    assert "typed-key" not in text
    assert "******" not in text


async def test_credentials_that_fail_stand_refused_at_their_field(page: Page) -> None:
    browser = await browser_of(page)
    page.app.shop.host.default = Reply(401, b"")
    answer = await browser.send(secret="typed-key-4711")
    text = html.unescape(await answer.text())
    assert answer.status == 422
    assert "refuses these credentials" in text
    assert "typed-key" not in text
    assert not (await page.steps())[0].completed


async def test_a_form_that_was_opened_before_an_update_is_not_saved_during_it(page: Page) -> None:
    browser = await browser_of(page)
    token = await browser.token()
    lane, one = page.installation.connector_id, page.installation.id
    await page.app.json("PUT", f"/v1/connectors/{lane}/update", {"_integrationIds": [one]})
    assert (await browser.send_again(token, secret="typed-key-4711")).status == 409
    assert NAME not in [one["Name"] for one in await page.app.connectors("A")]
    assert "being updated" in await browser.look(browser.form)


async def test_c35_a_link_opens_at_the_credentials_that_are_refused(page: Page) -> None:
    await page.save()
    await page.app.json("PUT", f"/v1/integrations/{page.installation.id}/installer/verify")
    app, browser = page.app, Browser(page.app, page.installation.id)
    await until(lambda: stands(page, Standing.INSTALLED))
    assert await opened(page, browser) == "/launch/marketplace/27"
    assert (await browser.get(f"{browser.here}/credentials")).headers["Location"] == browser.here
    app.shop.host.default = Reply(401, b"")
    event = {"type": "upgrade", "productId": PRODUCT, "accountId": "A"}
    await app.json("POST", "/v1/events", event)
    await until(lambda: stands(page, Standing.NEEDS_ATTENTION))
    assert await opened(page, browser) == f"{browser.here}/credentials"
    assert (await browser.get(f"{browser.here}/credentials")).headers["Location"] == browser.form
    assert f'href="{browser.here}/credentials"' in await browser.look("/launch/marketplace/27")
    assert f'href="{browser.form}"' in await browser.look(browser.here)
    asked = await browser.get(f"/launch/marketplace/27?product={PRODUCT}")
    assert asked.headers["Location"] == f"{browser.here}/credentials"


async def stands(page: Page, standing: Standing) -> bool:
    found = await page.services.installer.get(page.customer.caller, page.installation.id)
    return found.standing is standing


async def test_the_app_is_called_by_its_products_name(page: Page) -> None:
    await page.app.json("PUT", f"/v1/products/{PRODUCT}", {"name": "Alpha", "editions": []})
    named = {"name": "Test", "_connectorId": page.installation.connector_id, "_accountId": "A"}
    browser = Browser(page.app, (await page.app.json("POST", "/v1/integrations", named))["_id"])
    await opened(page, browser)
    assert "Enter how Alpha reaches your account" in await browser.look(browser.here)


async def test_what_names_a_host_is_not_asked_for(page: Page) -> None:
    template = (await page.app.json("GET", "/v1/connector-templates"))["data"][0]
    known = {name: template[name] for name in ("name", "authType", "integrationId")}
    properties = [{"name": "Url"}, {"name": "Region", "required": True}]
    await page.app.json("PUT", f"/v1/connector-templates/{template['id']}", known | {"properties": properties})
    text = await (await browser_of(page)).look(
        f"/launch/marketplace/27/installations/{page.installation.id}/connections/{quote(NAME)}"
    )
    assert 'name="property.Region"' in text
    assert "property.Url" not in text


async def test_a_user_authorizes_at_the_products_own_server(user: Page, issuer: Issuer) -> None:
    browser = await browser_of(user)
    text = await browser.look(browser.form)
    assert f'href="{browser.form}/authorize"' in text
    assert 'name="secret"' not in text
    away = await browser.get(f"{browser.form}/authorize")
    assert away.status == 302
    query = parse_qs(urlsplit(away.headers["Location"]).query)
    back = await browser.get(f"/account/authorized?code=code-1&state={query['state'][0]}")
    assert (back.status, back.headers["Location"]) == (303, f"{browser.here}?said=connected")
    assert issuer.forms[0]["redirect_uri"] == "http://dispatcher.test/account/authorized"
    again = await browser.look(f"/account/authorized?code=code-1&state={query['state'][0]}", 422)
    assert "begin it again" in again


@pytest.mark.parametrize("path", ["/account/authorized", "/account/authorized?state=27.x&code=y"])
async def test_somebody_without_a_session_comes_back_to_nothing(user: Page, path: str) -> None:
    answer = await user.app.http.get(path, allow_redirects=False)
    assert answer.status == 401
