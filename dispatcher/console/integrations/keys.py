"""Keys that sign an integration's notifications: rotation with its overlap, a schedule, and the host's own client.

A secret is shown on the page that made it, and never again.
"""

from __future__ import annotations

from aiohttp import web

from dispatcher.console.frame.sentences import back
from dispatcher.console.integrations.subject import Subject
from dispatcher.errors import InvalidRequest, Refused, RequestError
from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client
from dispatcher.flow.integrations.credentials.rotate_secret import rotate_secret
from dispatcher.flow.integrations.credentials.rotation_schedule import schedule_rotation
from dispatcher.model.integration import SigningAlgorithm
from dispatcher.policy.client_rights import inbound_excess

_HOUR_S = 3600.0
OVERLAPS = (("24", "for a day"), ("168", "for a week"), ("1", "for an hour"), ("0", "not at all: it leaked"))


async def show_keys(request: web.Request, subject: Subject) -> web.StreamResponse:
    return _page(request, subject)


async def rotate(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    """The page with the new secret on it."""
    definitions = subject.noted(request, "rotateProductIntegrationSigningSecret")
    sealer, now_ms = subject.viewer.services.sealer, subject.viewer.now_ms
    overlap_s = _number(fields, "overlap") * _HOUR_S
    try:
        done = await rotate_secret(
            definitions, sealer, subject.integration.id, now_ms, overlap_s, _algorithm(fields), only="only" in fields
        )
    except RequestError as error:
        return _page(request, subject, error.status, wrong=str(error))
    shown = {"Signing secret": done.signing_secret} if done.signing_secret else {"Public key": done.public_key or ""}
    return _page(request, Subject(done.integration, subject.viewer), made=shown)


async def schedule(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    """Every so many days from now on; an empty field ends it."""
    definitions, given = subject.noted(request, "scheduleProductIntegrationSigningKeyRotation"), fields.get("everyDays")
    try:
        every_days = int(_number(fields, "everyDays")) if given else None
        await schedule_rotation(
            definitions,
            definitions.rotations_due,
            subject.integration.id,
            subject.viewer.now_ms,
            every_days=every_days,
        )
    except RequestError as error:
        return _page(request, subject, error.status, wrong=str(error))
    return back(f"{subject.path}/keys", "scheduled" if every_days else "unscheduled")


async def generate(request: web.Request, subject: Subject, fields: dict[str, str]) -> web.StreamResponse:
    """The page with the host's new client id and secret on it; the pair before is refused from now on."""
    if lacking := inbound_excess(subject.viewer.caller):
        raise Refused(lacking)
    definitions = subject.noted(request, "generateProductIntegrationInboundClient")
    pair = await generate_inbound_client(definitions, subject.integration.id, subject.viewer.now_ms)
    newest = await subject.definitions.needed(subject.integration.id)
    made = {"Client id": pair.client_id, "Client secret": pair.client_secret}
    return _page(request, Subject(newest, subject.viewer), made=made)


def _page(
    request: web.Request, subject: Subject, status: int = 200, made: dict[str, str] | None = None, wrong: str = ""
) -> web.Response:
    now_ms = subject.viewer.now_ms
    return subject.page(
        request,
        "/keys",
        status,
        keys=[key for key in subject.integration.signing_secrets if key.signs_at(now_ms)],
        schedule=subject.integration.signing_rotation,
        overlaps=OVERLAPS,
        made=made or {},
        wrong=wrong,
    )


def _algorithm(fields: dict[str, str]) -> SigningAlgorithm:
    try:
        return SigningAlgorithm(fields.get("algorithm", ""))
    except ValueError:
        raise InvalidRequest.of("invalid_value", "Choose an algorithm.", "algorithm") from None


def _number(fields: dict[str, str], name: str) -> float:
    text = fields.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise InvalidRequest.of("invalid_value", "Give a whole number.", name)
    return float(text)
