"""Signing in to the console by OpenID Connect, at a real provider: who gets in, with which rights, and who does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientResponse
from joserfc.jwk import ECKey, OctKey

from dispatcher.console.oidc.provider import MAX_BYTES
from dispatcher.model.integration import Revision
from dispatcher.model.redelivery import RedeliveryState
from tests.api.audit_entries import newest
from tests.api.conftest import PRODUCT, Api, Start, publish
from tests.api.console.conftest import SIGN_IN, Visitor
from tests.api.console.test_bulk import JOBS, ended, previewed, with_dead
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, providing

START = f"{SIGN_IN}/oidc"
ROLES = ("ops=operator", "look=viewer", "acme=publisher:vendor-7", "root=admin")


@dataclass
class Newcomer:
    """A browser that goes to the provider and comes back."""

    visitor: Visitor
    provider: IdentityProvider

    @property
    def api(self) -> Api:
        return self.visitor.api

    async def there(self, wanted: str = "/console/events") -> str:
        """Address that the provider sends the browser back to."""
        begun = await self.api.http.get(START, params={"next": wanted}, allow_redirects=False)
        assert begun.status == 303, await begun.text()
        async with self.api.http.session.get(begun.headers["Location"], allow_redirects=False) as answer:
            assert answer.status == 302, await answer.text()
            return answer.headers["Location"].removeprefix("http://dispatcher.example")

    async def back(self, path: str) -> ClientResponse:
        return await self.api.http.get(path, allow_redirects=False)

    async def sign_in(self) -> ClientResponse:
        return await self.back(await self.there())


Begin = Callable[..., Awaitable[Newcomer]]


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with providing(1_800_000_000.0) as made:
        yield made


@pytest.fixture
async def begin(start: Start, provider: IdentityProvider) -> Begin:
    """A newcomer to a console that knows the provider."""

    async def made(**changes: Any) -> Newcomer:
        given = {
            "public_base_url": "http://dispatcher.example",
            "console_oidc_issuer": provider.issuer,
            "console_oidc_client_id": CLIENT_ID,
            "console_oidc_client_secret": CLIENT_SECRET,
            "console_oidc_roles": ROLES,
        }
        api = await start(**(given | changes))
        urls = {"createUrl": "https://host.example/hook"}
        return Newcomer(Visitor(api, await publish(api.services, Revision(urls=urls), products=(PRODUCT,))), provider)

    return made


@pytest.fixture
async def newcomer(begin: Begin) -> Newcomer:
    return await begin()


def author(provider: IdentityProvider) -> str:
    return f"oidc:{provider.issuer}#u-1"


async def test_a_person_signs_in_by_a_link_and_acts_under_its_own_name(newcomer: Newcomer) -> None:
    form = await newcomer.visitor.look(f"{SIGN_IN}?next=/console/events")
    assert f'href="{START}?next=/console/events"' in form
    answer = await newcomer.sign_in()
    assert (answer.status, answer.headers["Location"]) == (303, "/console/events")
    page = await newcomer.visitor.look("/console")
    assert "<b>Ada</b>" in page
    event = await newcomer.api.emit()
    path = f"/console/events/{event['id']}"
    assert (await newcomer.visitor.act(path, f"{path}/resolve")).status == 303
    entry = await newest(newcomer.api)
    assert (entry["action"], entry["clientId"]) == ("resolveEvent", author(newcomer.provider))
    sessions = await newcomer.visitor.look("/console/sessions")
    assert author(newcomer.provider) in sessions
    assert "Your sessions" in sessions


async def test_what_is_asked_of_the_provider(newcomer: Newcomer) -> None:
    begun = await newcomer.api.http.get(START, allow_redirects=False)
    asked = {name: one for name, (one,) in parse_qs(urlsplit(begun.headers["Location"]).query).items()}
    assert asked["scope"] == "openid profile groups"
    assert asked["redirect_uri"] == f"http://dispatcher.example{START}/callback"
    assert len(asked["nonce"]) >= 32 <= len(asked["state"])
    again = await newcomer.api.http.get(f"{START}?again=true", allow_redirects=False)
    other = parse_qs(urlsplit(again.headers["Location"]).query)
    assert ("prompt" in asked, other["prompt"]) == (False, ["login"])
    assert all(other[name] != [asked[name]] for name in ("state", "nonce", "code_challenge"))
    assert newcomer.provider.asked == ["/.well-known/openid-configuration"]


async def test_the_first_role_that_fits_is_the_persons(newcomer: Newcomer) -> None:
    for groups, sees, forbidden in (
        (["nobody", "look"], "/console", "/console/clients"),
        (["root"], "/console/clients", None),
        (["acme", "root"], "/console/integrations", "/console/clients"),
        ("ops", "/console/workers", "/console/clients"),
    ):
        newcomer.provider.person["groups"] = groups
        assert (await newcomer.sign_in()).status == 303
        await newcomer.visitor.look(sees)
        if forbidden:
            await newcomer.visitor.look(forbidden, 403)


async def test_nobody_has_a_role_by_default(newcomer: Newcomer) -> None:
    for groups in (["others", "<b>"], [], None, {"ops": True}, [["ops"]]):
        newcomer.provider.person["groups"] = groups
        answer = await newcomer.sign_in()
        page = await answer.text()
        assert answer.status == 403
        assert "Ada has no role here" in page
        assert author(newcomer.provider) in page
        assert "<b>" not in page.partition("<main")[2]
        assert (await newcomer.visitor.sent_to("/console")).startswith(SIGN_IN)


async def test_groups_may_come_from_userinfo(newcomer: Newcomer) -> None:
    newcomer.provider.in_token = frozenset()
    assert (await newcomer.sign_in()).status == 303
    assert newcomer.provider.asked[-1] == "/userinfo"
    newcomer.provider.userinfo = {"sub": "somebody-else"}
    assert (await newcomer.sign_in()).status == 403


async def test_id_tokens_that_do_not_hold_let_nobody_in(newcomer: Newcomer) -> None:
    for claims in ({"nonce": "x"}, {"iss": "https://evil.example"}, {"aud": "somebody"}, {"exp": 1_799_999_000}):
        newcomer.provider.claims = claims
        await refused(newcomer, await newcomer.there())


async def refused(newcomer: Newcomer, path: str, status: int = 403) -> None:
    answer = await newcomer.back(path)
    text = await answer.text()
    assert answer.status == status, text
    assert 'href="/console/sign-in"' in text
    assert ("You are not signed in" in text) == (status == 403)
    assert (await newcomer.visitor.sent_to("/console")).startswith(SIGN_IN)


async def test_signatures_of_others_let_nobody_in(newcomer: Newcomer) -> None:
    provider = newcomer.provider
    provider.signed_with = ECKey.generate_key("P-256", {"kid": provider.key.kid or ""})
    await refused(newcomer, await newcomer.there())
    provider.signed_with, provider.algorithm = OctKey.import_key(CLIENT_SECRET + "x" * 32, {"kid": "s"}), "HS256"
    await refused(newcomer, await newcomer.there())


async def test_a_key_that_is_new_is_asked_for(newcomer: Newcomer) -> None:
    assert (await newcomer.sign_in()).status == 303
    newcomer.provider.key = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
    newcomer.api.clock.now_s += 60
    assert (await newcomer.sign_in()).status == 303
    assert newcomer.provider.asked.count("/jwks") == 2


WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "another state": {"state": "x"},
    "no state": {"state": None},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer although it says that it names itself": {"iss": None},
    "no code": {"code": None},
    "a code of nobody": {"code": "x"},
    "a code that is too long": {"code": "x" * 4097},
    "an error": {"error": "access_denied", "error_description": "<script>"},
}


async def test_answers_that_are_not_the_providers_let_nobody_in(newcomer: Newcomer) -> None:
    for name, answer in WRONG_ANSWERS.items():
        newcomer.provider.answer = answer
        await refused(newcomer, await newcomer.there(), 502 if name == "a code of nobody" else 403)


async def test_an_answer_is_good_once_in_the_browser_that_began_and_for_ten_minutes(newcomer: Newcomer) -> None:
    path = await newcomer.there()
    jar = newcomer.api.http.session.cookie_jar
    kept = list(jar)
    jar.clear()
    await refused(newcomer, path)
    for cookie in kept:
        jar.update_cookies({cookie.key: cookie.value}, response_url=newcomer.api.http.make_url("/"))
    newcomer.api.clock.now_s += 600
    await refused(newcomer, path)
    newcomer.api.clock.now_s -= 600
    assert (await newcomer.back(path)).status == 303
    assert (await newcomer.back(path)).status == 403
    await newcomer.visitor.look("/console")


async def test_a_provider_that_is_not_what_it_should_be_is_told(newcomer: Newcomer) -> None:
    for metadata in (
        {"issuer": "https://evil.example"},
        {"jwks_uri": None},
        {"token_endpoint": "ftp://x"},
        {"x": "y" * MAX_BYTES},
    ):
        newcomer.provider.metadata = metadata
        newcomer.api.clock.now_s += 5
        answer = await newcomer.api.http.get(START, allow_redirects=False)
        assert (answer.status, "does not answer as it should" in await answer.text()) == (502, True)
    assert len(newcomer.provider.asked) == 4
    newcomer.provider.metadata = {}
    newcomer.api.clock.now_s += 5
    assert (await newcomer.sign_in()).status == 303


async def test_sessions_of_people_end_with_their_roles_and_after_twelve_hours(begin: Begin, newcomer: Newcomer) -> None:
    await newcomer.sign_in()
    cookies = "; ".join(f"{one.key}={one.value}" for one in newcomer.api.http.session.cookie_jar)
    changed = await begin(console_oidc_roles=("ops=viewer",))
    answer = await changed.api.http.get("/console", headers={"Cookie": cookies}, allow_redirects=False)
    assert answer.status == 303
    whole = await begin(session_lifetime=86_400, session_idle=86_400)
    await whole.sign_in()
    whole.api.clock.now_s += 12 * 3600 - 1
    await whole.visitor.look("/console")
    whole.api.clock.now_s += 1
    assert (await whole.visitor.sent_to("/console")).startswith(SIGN_IN)


async def test_a_persons_bulk_job_goes_on(newcomer: Newcomer) -> None:
    await with_dead(newcomer.visitor, 1)
    await newcomer.sign_in()
    _, fields = await previewed(newcomer.visitor)
    path = (await newcomer.visitor.send(JOBS, fields | {"count": "1"})).headers["Location"]
    job = await ended(newcomer.visitor, path)
    assert (job.state, job.client_id) == (RedeliveryState.DONE, author(newcomer.provider))


async def test_without_a_provider_there_is_no_such_page(visitor: Visitor) -> None:
    assert START not in await visitor.look(SIGN_IN)
    await visitor.look(START, 404)
    await visitor.look(f"{START}/callback?code=x&state=x", 404)
