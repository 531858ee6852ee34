"""Sign-on: OpenID Connect or a bookmark."""

from __future__ import annotations

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from dispatcher.errors import Conflict, Unprocessable
from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.flow.integrations.products.single_sign_on import (
    configure_bookmark,
    configure_open_id_connect,
    remove_single_sign_on,
)
from dispatcher.model.integration import Bookmark, OpenIdConnect
from tests.flow.definition_desk import NOW_MS, Desk, desk_on, told

WANTED = OpenIdConnect(
    grant_types=("AUTHORIZATION_CODE",),
    redirect_urls=("https://example.com/back",),
    allow_oidc_scope=True,
    initiate_login_url="https://example.com/login",
)


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return desk_on(redis)


async def test_creation_method_is_frozen_by_the_publish_and_the_rest_is_not(desk: Desk) -> None:
    own_id = (await desk.create()).integration.id
    await configure_open_id_connect(desk.definitions, own_id, WANTED, NOW_MS)
    shared = replace(WANTED, client_creation_method="SHARED")
    await configure_open_id_connect(desk.definitions, own_id, shared, NOW_MS)
    await publish(desk.definitions, own_id, "client", NOW_MS)
    with pytest.raises(Conflict) as refused:
        await configure_open_id_connect(desk.definitions, own_id, WANTED, NOW_MS)
    assert told(refused.value) == [("frozen_after_publish", "clientCreationMethod")]
    changed = replace(shared, logout_url="https://example.com/bye")
    done = await configure_open_id_connect(desk.definitions, own_id, changed, NOW_MS)
    assert done.integration.working.open_id_connect == changed


async def test_removing_and_adding_does_not_thaw_the_creation_method(desk: Desk) -> None:
    own_id = (await desk.create()).integration.id
    await configure_open_id_connect(desk.definitions, own_id, WANTED, NOW_MS)
    await publish(desk.definitions, own_id, "client", NOW_MS)
    await remove_single_sign_on(desk.definitions, own_id, NOW_MS)
    shared = replace(WANTED, client_creation_method="SHARED")
    with pytest.raises(Conflict):
        await configure_open_id_connect(desk.definitions, own_id, shared, NOW_MS)


async def test_open_id_connect_and_bookmark_exclude_each_other(desk: Desk) -> None:
    first, second = [(await desk.create()).integration.id for _ in range(2)]
    await configure_open_id_connect(desk.definitions, first, WANTED, NOW_MS)
    await configure_bookmark(desk.definitions, second, "https://example.com/home", NOW_MS)
    with pytest.raises(Conflict) as refused:
        await configure_bookmark(desk.definitions, first, "https://example.com/home", NOW_MS)
    assert told(refused.value)[0][0] == "sso_exclusive"
    with pytest.raises(Conflict):
        await configure_open_id_connect(desk.definitions, second, WANTED, NOW_MS)
    await remove_single_sign_on(desk.definitions, first, NOW_MS)
    done = await configure_bookmark(desk.definitions, first, "https://example.com/home", NOW_MS)
    assert done.integration.working.bookmark == Bookmark("https://example.com/home")
    assert done.warnings == ()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "javascript:alert(1)",
            " JavaScript:alert(1)",
            "java\tscript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
        ),
        *("https://example.com/\r\nSet-Cookie: a=b", "https://example.com/\x00", "https://example.com/a b", ""),
        *(
            "//evil.example",
            "/\\evil.example",
            "/relative",
            "www.example.com/home",
            "https:evil.example",
            "https:///evil",
        ),
        *(
            "https://good.example@evil.example/",
            "https://\u202eexample.com/",
            "https://e.example/" + "a" * 2048,
        ),
    ],
)
async def test_addresses_that_no_browser_is_to_be_sent_to_are_refused(desk: Desk, url: str) -> None:
    own_id = (await desk.create()).integration.id
    with pytest.raises(Unprocessable) as refused:
        await configure_bookmark(desk.definitions, own_id, url, NOW_MS)
    assert told(refused.value) == [("invalid_url", "landingUrl")]
    wanted = replace(WANTED, initiate_login_url=url, logout_url=url, redirect_urls=(url,))
    with pytest.raises(Unprocessable) as refused:
        await configure_open_id_connect(desk.definitions, own_id, wanted, NOW_MS)
    fields = ["initiateLoginUrl", "logoutUrl", "redirectUrls.0"]
    assert told(refused.value) == [("invalid_url", field) for field in fields]


@pytest.mark.parametrize(
    "url", ["YOUR_REDIRECT_URLS", "to-be-done", "com.example.app:/back", "https://{Subdomain}.example.com/"]
)
async def test_words_and_schemes_of_apps_are_kept_as_they_are_and_told(desk: Desk, url: str) -> None:
    own_id = (await desk.create()).integration.id
    wanted = replace(WANTED, initiate_login_url=url, redirect_urls=(url,))
    done = await configure_open_id_connect(desk.definitions, own_id, wanted, NOW_MS)
    kept = done.integration.working.open_id_connect
    assert kept is not None
    assert (kept.initiate_login_url, kept.redirect_urls) == (url, (url,))
    assert len(done.warnings) == (0 if url.startswith("https") else 2)
