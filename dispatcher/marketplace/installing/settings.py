"""The settings of one installation: as a form where they are one, else as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from dispatcher.errors import Conflict, InvalidRequest, RequestError
from dispatcher.marketplace.apps.lookups import installation_in, product_of
from dispatcher.marketplace.apps.saying import said_in
from dispatcher.marketplace.apps.standing import host_of, name_of
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.marketplace.installing.sections import Section, filled, sections_of
from dispatcher.model.installation import Installation, Standing
from dispatcher.pages.fields import Field, Kind, checked, marked, typed
from dispatcher.pages.forms import Sent, wrongs
from dispatcher.pages.rendering import pretty
from dispatcher.policy.secrets.setting_secrets import MASK, with_secrets
from dispatcher.policy.strict_json import read_json

RAW = "settings"
MAX_RAW_CHARS = 100_000


async def show_settings(request: web.Request, guest: Guest) -> web.StreamResponse:
    installation = await installation_in(request, guest)
    return await _page(request, guest, installation, sections_of(installation.settings), _raw(installation, guest))


async def save_settings(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """303 back to the form once saved; 422 and the form again with what is wrong beside each field."""
    installation = await installation_in(request, guest)
    if installation.update_in_progress:
        name = name_of(await product_of(installation.product_id, guest), installation)
        raise Conflict.of("update_in_progress", guest.t.plain("settings.locked", name=name))
    sections = sections_of(installation.settings)
    fields = [field for section in sections or () for field in section.fields]
    wrong = checked(fields, sent.fields, guest.t)
    raw = _raw(installation, guest, sent.fields.get(RAW)) if sections is None else None
    if not wrong:
        try:
            wanted = filled(installation.settings, sent.fields) if sections else _read(sent.fields.get(RAW, ""))
            saved = await guest.services.customers.save_settings(installation, wanted, guest.customer)
            return redirect(guest.path("installations", installation.id, "settings", said=_said(installation, saved)))
        except RequestError as error:
            if error.status not in (400, 422):
                raise
            wrong = {RAW if sections is None else "": wrongs(error).get("", str(error))}
    if sections is not None:
        sections = [Section(one.title, marked(typed(one.fields, sent.fields), wrong)) for one in sections]
    return await _page(request, guest, installation, sections, raw, wrong)


def _said(before: Installation, saved: Installation) -> str:
    if saved.settings == before.settings:
        return "same"
    return "told" if saved.standing is Standing.INSTALLED else "saved"


def _raw(installation: Installation, guest: Guest, given: str | None = None) -> Field:
    """Without secrets: left empty, each stays as it is."""
    shown = pretty(with_secrets(installation.settings, lambda _, text: ""))
    return Field(
        RAW,
        guest.t.plain("settings.raw"),
        Kind.CODE,
        shown if given is None else given,
        required=True,
        hint=guest.t.plain("settings.raw_hint"),
    )


def _read(text: str) -> Any:
    if len(text) > MAX_RAW_CHARS:
        raise InvalidRequest.of("too_long", f"{MAX_RAW_CHARS} characters are the most.", RAW)
    return with_secrets(read_json(text.encode()), lambda _, secret: secret or MASK)


async def _page(
    request: web.Request,
    guest: Guest,
    installation: Installation,
    sections: Sequence[Section] | None,
    raw: Field | None,
    wrong: Mapping[str, str] | None = None,
) -> web.Response:
    product = await product_of(installation.product_id, guest)
    if raw is not None and wrong:
        raw = marked([raw], wrong)[0]
    return guest.page(
        "settings.html",
        422 if wrong else 200,
        installation=installation,
        product=product,
        name=name_of(product, installation),
        host=host_of(product, installation),
        sections=sections,
        raw=raw if sections is None and installation.settings is not None else None,
        wrong=wrong or {},
        said=said_in(request, guest),
    )
