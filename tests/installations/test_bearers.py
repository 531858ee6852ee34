"""The bearer of a step: good for one request, as the owner of that installation."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from typing import Any

import pytest

from dispatcher.store.installations.installed.bearers import Bearers, Taking
from tests.installations.conftest import ALL, STEPS, Scene


async def token_of(scene: Scene, headers: dict[str, str]) -> tuple[Any, str]:
    """An installation in the middle of its steps, and the bearer that the host got with the first of them."""
    one = await scene.install(await scene.integration(*STEPS, products=()), headers)
    await scene.call(one, "verifyConnection", headers)
    return one, scene.received("createUrl")[-1].json["payload"]["bearerToken"]


async def test_the_bearer_lets_the_host_act_once_as_the_owner_of_that_installation(scene: Scene) -> None:
    headers = await scene.account()
    one, token = await token_of(scene, headers)
    other, _ = await token_of(scene, headers)
    shown = {"Authorization": f"Bearer {token}"}
    await scene.json("GET", f"{ALL}/{other['_id']}", 401, headers=shown)
    await scene.json("GET", ALL, 401, headers=shown)
    await scene.json("POST", f"{ALL}/{one['_id']}/clone", 401, headers=shown)
    for _ in range(2):
        found = await scene.json("GET", f"{ALL}/{one['_id']}", 200, headers=shown)
    done = found | {"install": [step | {"completed": True} for step in found["install"]], "version": "2.0"}
    after = await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=done, headers=shown)
    assert (after["mode"], after["version"]) == ("settings", "2.0")
    await scene.json("GET", f"{ALL}/{one['_id']}", 401, headers=shown)


async def test_a_call_that_is_refused_leaves_the_bearer_as_it_was(scene: Scene) -> None:
    headers = await scene.account()
    one, token = await token_of(scene, headers)
    shown, path = {"Authorization": f"Bearer {token}"}, f"{ALL}/{one['_id']}"
    found = await scene.get(one)
    await scene.json("PUT", path, 422, json=found | {"name": 5}, headers=shown)
    await scene.json("PUT", path, 422, json=found | {"mode": "settings"}, headers=shown)
    await scene.json("PUT", path, 412, json=found, headers=shown | {"If-Match": '"1"'})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    await scene.json("PUT", path, 415, data="name=x", headers=shown | form)
    await scene.json("PUT", path, 400, data="{", headers=shown | {"Content-Type": "application/json"})
    answers = await asyncio.gather(
        *(scene.ask("PUT", path, json=found | {"name": 5}, headers=shown) for _ in range(10)),
        *(scene.ask("GET", path, headers=shown) for _ in range(5)),
    )
    assert [answer.status for answer in answers] == [422] * 10 + [200] * 5
    await scene.json("PUT", path, 200, json=found | {"name": "Renamed"}, headers=shown)
    await scene.json("PUT", path, 401, json=found, headers=shown)


async def test_of_twenty_that_show_a_bearer_at_once_one_gets_in(scene: Scene) -> None:
    one, token = await token_of(scene, await scene.account())
    shown = {"Authorization": f"Bearer {token}"}
    body = await scene.get(one)
    answers = await asyncio.gather(
        *(scene.ask("PUT", f"{ALL}/{one['_id']}", json=body, headers=shown) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19


async def test_a_bearer_that_is_not_used_up_is_turned_away_by_none_that_is_refused(scene: Scene) -> None:
    """Refused calls and good ones at once, in any order: one good one gets in, and every refused one hears why."""
    one, token = await token_of(scene, await scene.account())
    shown, body = {"Authorization": f"Bearer {token}"}, await scene.get(one)
    bodies = [body | {"name": 5} if n % 4 else body for n in range(20)]
    answers = await asyncio.gather(
        *(scene.ask("PUT", f"{ALL}/{one['_id']}", json=sent, headers=shown) for sent in bodies)
    )
    counted = Counter(answer.status for answer in answers)
    assert counted[200] == 1
    assert counted.keys() <= {200, 401, 422}
    good = [answer.status for answer, sent in zip(answers, bodies, strict=True) if sent is body]
    assert Counter(good) == {200: 1, 401: 4}


async def test_a_bearer_whose_call_never_ended_lets_nobody_in(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    one, token = await token_of(scene, await scene.account())
    monkeypatch.setattr("dispatcher.api.oauth.gate.JUDGED_WITHIN_S", 0.1)
    assert await Bearers(scene.redis).take(token, one["_id"]) is Taking.HELD
    shown = {"Authorization": f"Bearer {token}"}
    held = await scene.json("PUT", f"{ALL}/{one['_id']}", 409, json=await scene.get(one), headers=shown)
    assert held["errors"][0]["code"] == "bearer_in_use"


async def test_a_bearer_is_kept_as_a_digest_only_and_ends_with_its_installation(scene: Scene) -> None:
    one, token = await token_of(scene, await scene.account())
    key = f"{{def}}:bearer:{hashlib.sha256(token.encode()).hexdigest()}"
    assert 890 <= await scene.redis.ttl(key) <= 900
    for name in await scene.redis.keys("*"):
        assert token.encode() not in (await scene.redis.dump(name) or b"")
    [event] = [one for one in await scene.events() if one["type"] == "INSTALL_STEP"]
    assert "bearerToken" not in event["payload"]
    await scene.json("DELETE", f"{ALL}/{one['_id']}", 204)
    shown = {"Authorization": f"Bearer {token}"}
    assert (await scene.ask("GET", f"{ALL}/{one['_id']}", headers=shown)).status in (401, 404)
