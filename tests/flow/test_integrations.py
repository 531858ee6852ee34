"""Creating, editing and deleting integrations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey
from redis.asyncio import Redis

from dispatcher.errors import Conflict, NotFound, RequestError, Unprocessable
from dispatcher.flow.integrations.editing.update import delete_integration
from dispatcher.flow.integrations.fields.kind import MASK
from dispatcher.flow.integrations.products.link import link
from dispatcher.model.integration import AnswerMode, OutboundCredentials
from dispatcher.policy.notification.signing import parse_secret
from dispatcher.store.secrets import fields as sealed_fields
from tests.flow.definition_desk import NOW_MS, URL, Desk, desk_on, told

OAUTH2: dict[str, Any] = {
    "type": "OAUTH2",
    "clientId": "123456",
    "clientSecret": "S3cre1!",
    "tokenUri": "http://dummmy.url/api/token",
}


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return desk_on(redis)


async def refusal(desk: Desk, **changes: Any) -> list[tuple[str, str | None]]:
    """Problems of changes that are refused."""
    with pytest.raises(Unprocessable) as refused:
        await desk.create(changes)
    return told(refused.value)


async def test_creating_gives_a_signing_secret_that_only_the_sealer_can_read(desk: Desk) -> None:
    created = await desk.create()
    parse_secret(created.signing_secret)
    (stored,) = created.integration.signing_secrets
    assert created.signing_secret not in stored.secret
    context = sealed_fields.signing_secret(created.integration.id)
    assert desk.sealer.open(stored.secret, context) == created.signing_secret
    assert stored.not_after_ms is None


async def test_credentials_are_sealed_for_their_integration_and_field(desk: Desk) -> None:
    created = (await desk.create({"outboundCredentials": OAUTH2})).integration
    sealed = created.working.credentials.client_secret
    assert desk.sealer.open(sealed, sealed_fields.client_secret(created.id)) == "S3cre1!"
    assert created.working.credentials.token_uri == "http://dummmy.url/api/token"


async def test_update_changes_only_what_is_named(desk: Desk) -> None:
    before = (await desk.create({"name": "n", "createUrl": URL, "outboundCredentials": OAUTH2})).integration
    after = await desk.update(before.id, {"cancelUrl": URL + "/c", "outboundCredentials": {"scope": "a b"}})
    assert after.name == "n"
    assert after.working.urls == {"createUrl": URL, "cancelUrl": URL + "/c"}
    assert after.working.credentials.scope == "a b"
    assert after.working.credentials.client_secret == before.working.credentials.client_secret
    assert after.modified_ms > before.modified_ms


async def test_null_clears_a_url_and_all_credentials(desk: Desk) -> None:
    before = (await desk.create({"createUrl": URL, "cancelUrl": URL, "outboundCredentials": OAUTH2})).integration
    after = await desk.update(before.id, {"createUrl": None, "outboundCredentials": None})
    assert after.working.urls == {"cancelUrl": URL}
    assert after.working.credentials == OutboundCredentials()


async def test_masked_secret_keeps_the_stored_one(desk: Desk) -> None:
    before = (await desk.create({"outboundCredentials": OAUTH2})).integration
    after = await desk.update(before.id, {"outboundCredentials": {"clientSecret": MASK, "clientId": "new"}})
    assert after.working.credentials.client_secret == before.working.credentials.client_secret
    assert after.working.credentials.client_id == "new"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"createUrl": "http://127.0.0.1/"}, [("url_not_allowed", "createUrl")]),
        ({"assignUrl": "ftp://example.com/"}, [("url_not_allowed", "assignUrl")]),
        (
            {"outboundCredentials": {**OAUTH2, "tokenUri": "http://169.254.169.254/t"}},
            [("url_not_allowed", "outboundCredentials.tokenUri")],
        ),
        (
            {"outboundCredentials": {"type": "OAUTH2"}},
            [
                ("required", "outboundCredentials.clientId"),
                ("required", "outboundCredentials.tokenUri"),
                ("required", "outboundCredentials.clientSecret"),
            ],
        ),
        (
            {"outboundCredentials": {**OAUTH2, "authMethod": "private_key_jwt"}},
            [("required", "outboundCredentials.privateKey")],
        ),
        (
            {"outboundCredentials": {"type": "BASIC", "clientId": "a:b", "clientSecret": "x"}},
            [("invalid_text", "outboundCredentials.clientId")],
        ),
        (
            {
                "outboundCredentials": {
                    **OAUTH2,
                    "authMethod": "private_key_jwt",
                    "privateKey": "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----",
                }
            },
            [("invalid_private_key", "outboundCredentials.privateKey")],
        ),
        ({"name": "a\x00b"}, [("invalid_text", "name")]),
        ({"name": "a" * 256}, [("invalid_text", "name")]),
        ({"name": ""}, [("invalid_text", "name")]),
        ({"name": "  "}, [("invalid_text", "name")]),
        ({"outboundCredentials": OAUTH2 | {"clientId": "c" * 256}}, [("too_long", "outboundCredentials.clientId")]),
        (
            {"outboundCredentials": OAUTH2 | {"clientSecret": "s" * 4097}},
            [("too_long", "outboundCredentials.clientSecret")],
        ),
        ({"outboundCredentials": OAUTH2 | {"scope": "s" * 4097}}, [("too_long", "outboundCredentials.scope")]),
        ({"outboundCredentials": OAUTH2 | {"audience": "a" * 2049}}, [("too_long", "outboundCredentials.audience")]),
        ({"orderFormFields": [{"name": "a", "type": "EXPLOIT"}]}, [("invalid_value", "orderFormFields.0.type")]),
        ({"orderFormFields": [{"name": "a", "label": "l" * 256}]}, [("too_long", "orderFormFields.0.label")]),
        ({"orderFormFields": [{"name": "a", "label": "a\nb"}]}, [("invalid_text", "orderFormFields.0.label")]),
        ({"retrySchedule": [1.0] * 51}, [("out_of_range", "retrySchedule")]),
        ({"retrySchedule": [-1.0]}, [("out_of_range", "retrySchedule")]),
        ({"requestTimeout": 0.0}, [("out_of_range", "requestTimeout")]),
        ({"concurrency": 0}, [("out_of_range", "concurrency")]),
        ({"rateLimit": 0.0}, [("out_of_range", "rateLimit")]),
        ({"rateLimit": float("nan")}, [("out_of_range", "rateLimit")]),
        ({"headers": [{"name": "Host", "value": "x"}]}, [("header_not_allowed", "headers.0.name")]),
        ({"headers": [{"name": "X-A", "value": MASK, "secret": True}]}, [("required", "headers.0.value")]),
        (
            {"outboundCredentials": OAUTH2, "headers": [{"name": "Authorization", "value": "x"}]},
            [("header_not_allowed", "headers.0.name")],
        ),
        (
            {"orderFormFields": [{"name": "a"}, {"name": "a"}]},
            [("duplicate_field", "orderFormFields.1.name")],
        ),
    ],
)
async def test_what_cannot_work_is_refused_by_field(
    desk: Desk, changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert await refusal(desk, **changes) == expected
    assert (await desk.definitions.integrations()).items == []


async def test_every_problem_is_told_at_once(desk: Desk) -> None:
    urls = {"createUrl": "nonsense", "cancelUrl": "http://10.0.0.1/"}
    assert len(await refusal(desk, name="\n", **urls, concurrency=-1)) == 4


@pytest.mark.parametrize("form", ["pem", "jwk"])
async def test_private_key_is_taken_as_pem_or_jwk_and_sealed(desk: Desk, form: str) -> None:
    text = pem_of(ec.generate_private_key(ec.SECP256R1()))
    if form == "jwk":
        text = orjson.dumps(ECKey.import_key(text).as_dict(private=True)).decode()
    wanted = OAUTH2 | {"authMethod": "private_key_jwt", "privateKey": text}
    created = (await desk.create({"outboundCredentials": wanted})).integration
    sealed = created.working.credentials.private_key
    assert desk.sealer.open(sealed, sealed_fields.private_key(created.id)) == text


UNFIT: dict[str, Callable[[], PrivateKeyTypes]] = {
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "brainpool": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "short RSA": lambda: rsa.generate_private_key(65537, 1024),
}


@pytest.mark.parametrize("name", UNFIT)
async def test_a_key_that_no_assertion_can_be_signed_with_is_refused(desk: Desk, name: str) -> None:
    key = UNFIT[name]()
    credentials = OAUTH2 | {"authMethod": "private_key_jwt", "privateKey": pem_of(key)}
    assert await refusal(desk, outboundCredentials=credentials) == [
        ("invalid_private_key", "outboundCredentials.privateKey")
    ]


def pem_of(key: PrivateKeyTypes) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


async def test_url_templates_and_plain_http_are_accepted(desk: Desk) -> None:
    urls: dict[str, str | None] = {
        "createUrl": "https://{Subdomain}.example.com/{Region}",
        "notifyUrl": "http://example.com",
    }
    created = await desk.create(urls)
    assert created.integration.working.urls == urls


async def test_secret_header_is_sealed_and_kept_when_sent_back_masked(desk: Desk) -> None:
    headers = [{"name": "X-Key", "value": "k1", "secret": True}, {"name": "X-Plain", "value": "p"}]
    before = (await desk.create({"headers": headers})).integration
    key, plain = before.working.headers
    assert (plain.value, plain.secret) == ("p", False)
    assert desk.sealer.open(key.value, sealed_fields.header_value(before.id, "x-key")) == "k1"
    after = await desk.update(before.id, {"headers": [{"name": "x-key", "value": MASK, "secret": True}]})
    assert after.working.headers == (key,)
    assert (await desk.update(before.id, {"headers": None})).working.headers == ()


async def test_limits_schedule_and_answers_can_be_set_and_cleared(desk: Desk) -> None:
    before = await desk.create({"retrySchedule": [1, 2.5], "concurrency": 3, "answers": "ack", "filter": {"flag": "X"}})
    working = before.integration.working
    assert (working.retry.schedule_s, working.limits.concurrency, working.answers) == ((1, 2.5), 3, AnswerMode.ACK)
    cleared = await desk.update(
        before.integration.id, {"retrySchedule": None, "concurrency": None, "answers": None, "filter": None}
    )
    assert cleared.working.retry.schedule_s is None
    assert cleared.working.limits.concurrency is None
    assert cleared.working.answers is AnswerMode.AUTO
    assert cleared.working.filter is None


async def test_empty_schedule_means_a_single_attempt(desk: Desk) -> None:
    assert (await desk.create({"retrySchedule": []})).integration.working.retry.schedule_s == ()


async def test_updates_at_once_of_different_fields_are_all_kept(desk: Desk) -> None:
    created = (await desk.create()).integration
    fields = ["createUrl", "upgradeUrl", "cancelUrl", "notifyUrl", "assignUrl", "unassignUrl"]
    await asyncio.gather(*(desk.update(created.id, {field: f"{URL}/{field}"}) for field in fields))
    after = await desk.definitions.needed(created.id)
    assert after.working.urls == {field: f"{URL}/{field}" for field in fields}


async def test_delete_waits_until_no_product_is_linked(desk: Desk) -> None:
    published = await desk.published()
    await link(desk.definitions, "P", published.id, NOW_MS)
    with pytest.raises(Conflict) as refused:
        await delete_integration(desk.definitions, published.id)
    assert told(refused.value) == [("still_linked", "id")]
    assert await desk.definitions.unlink("P", published.id, NOW_MS)
    await delete_integration(desk.definitions, str(published.app_market_id))
    assert await desk.definitions.integration(published.id) is None
    assert await desk.definitions.revision(published.id, 1) is None


async def test_unknown_integration_is_not_found(desk: Desk) -> None:
    for work in (desk.update("34827", {}), delete_integration(desk.definitions, "34827")):
        with pytest.raises(RequestError) as refused:
            await work
        assert isinstance(refused.value, NotFound)
