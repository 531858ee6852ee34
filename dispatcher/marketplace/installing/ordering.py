"""Before an app is installed: which data goes to whom, terms, plan and quantity, and what the app needs to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from dispatcher.errors import Unprocessable
from dispatcher.flow.installations.making.shown_products import ShownProduct
from dispatcher.marketplace.apps.lookups import product_in
from dispatcher.marketplace.apps.standing import host_of
from dispatcher.marketplace.entrance.guest import Guest, redirect
from dispatcher.model.account import UserRole
from dispatcher.model.installation import Installation, Purchase
from dispatcher.model.integration import OrderFormField
from dispatcher.pages.fields import Field, Kind, Option, checked, marked, typed
from dispatcher.pages.forms import Sent, wrongs
from dispatcher.pages.messages import Messages
from dispatcher.policy.addresses.launch_urls import launch_url

MOST = 100_000
_PREFIX = "answer."
_IN_EVENTS = "configuration."
_KINDS: dict[str, Kind] = {
    "TEXT": Kind.TEXT,
    "TEXT_AREA": Kind.AREA,
    "NUMBER": Kind.NUMBER,
    "BOOLEAN": Kind.CHECK,
    "DATE": Kind.DATE,
    "EMAIL": Kind.EMAIL,
    "PHONE": Kind.TEL,
    "URL": Kind.URL,
}


@dataclass(frozen=True, slots=True)
class Order:
    """Its form: ``plan`` and ``quantity`` where the product has editions, and what it asks."""

    plan: Field | None
    quantity: Field | None
    answers: tuple[Field, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        return (*(one for one in (self.plan, self.quantity) if one), *self.answers)


async def show_product(request: web.Request, guest: Guest) -> web.StreamResponse:
    product = await product_in(request, guest)
    if (found := await _installed(product, guest)) is not None:
        return redirect(guest.path("installations", found.id))
    return await _page(guest, product, form_of(product, guest.t).fields)


async def order(request: web.Request, guest: Guest, sent: Sent) -> web.StreamResponse:
    """303 to the first step; 422 and the form again with what is wrong beside each field."""
    product = await product_in(request, guest)
    guest.refuse_members()
    if (found := await _installed(product, guest)) is not None:
        return redirect(guest.path("installations", found.id))
    form = form_of(product, guest.t)
    wrong = checked(form.fields, sent.fields, guest.t)
    if not wrong:
        try:
            made = await guest.services.customers.install(
                guest.customer, product.id, purchase_of(form, sent.fields), sent.once
            )
            return redirect(guest.path("installations", made.id))
        except Unprocessable as error:
            wrong = answer_wrongs(error)
    fields = marked(typed(form.fields, sent.fields), wrong)
    return await _page(guest, product, fields, wrong)


def form_of(product: ShownProduct, t: Messages) -> Order:
    revision, editions = product.revision, product.product.details.editions
    plan = quantity = None
    if editions:
        options = tuple(Option(one.code, one.name, one.description) for one in editions)
        chosen = options[0].value if len(options) == 1 else ""
        plan = Field("plan", t.plain("order.plan"), Kind.CHOICE, chosen, required=True, options=options)
        hint = t.plain("order.quantity_hint")
        label = t.plain("order.quantity")
        quantity = Field("quantity", label, Kind.NUMBER, "1", required=True, hint=hint, least=1, most=MOST)
    asked = revision.order_form_fields if revision else ()
    required = revision is not None and revision.order_require_form_fields
    return Order(plan, quantity, tuple(field_of(one, required=required and one.required) for one in asked))


def purchase_of(form: Order, given: Mapping[str, str]) -> Purchase:
    """The filled-in purchase; nothing stands for what was left empty."""
    return Purchase(
        edition=given["plan"] if form.plan else None,
        quantity=int(given["quantity"]) if form.quantity else None,
        configuration=answers_of(form.answers, given),
    )


def answers_of(fields: Sequence[Field], given: Mapping[str, str]) -> dict[str, Any]:
    """By the names of the questions."""
    answers = {field.name.removeprefix(_PREFIX): _answer(field, given.get(field.name, "")) for field in fields}
    return {name: answer for name, answer in answers.items() if answer is not None}


def answer_wrongs(error: Unprocessable) -> dict[str, str]:
    """Problems of answers, by the names of their fields."""
    return {f"{_PREFIX}{name}" if name else "": text for name, text in wrongs(error, _IN_EVENTS).items()}


def field_of(asked: OrderFormField, *, required: bool) -> Field:
    """The field in which a question of a purchase form is answered."""
    kind = _KINDS.get(asked.type.upper(), Kind.TEXT)
    return Field(_PREFIX + asked.name, asked.label or asked.name, kind, required=required)


def _answer(field: Field, text: str) -> Any:
    text = text.strip()
    if field.kind is Kind.CHECK:
        return text == "true"
    if not text:
        return None
    if field.kind is Kind.NUMBER:
        number = float(text.replace(",", "."))
        return int(number) if number.is_integer() else number
    return text


async def _installed(product: ShownProduct, guest: Guest) -> Installation | None:
    installed, _ = await guest.services.customers.list(guest.account.id)
    return next((one for one in installed if one.product_id == product.id), None)


async def _page(
    guest: Guest, product: ShownProduct, fields: tuple[Field, ...], wrong: Mapping[str, str] | None = None
) -> web.Response:
    assert product.revision is not None
    details, host_url = product.product.details, product.revision.urls.get("createUrl", "")
    colleagues = () if guest.is_owner else await guest.installing.accounts.users_of(guest.account.id)
    return guest.page(
        "order.html",
        422 if wrong else 200,
        product=product,
        purchase=[field for field in fields if not field.name.startswith(_PREFIX)],
        answers=[field for field in fields if field.name.startswith(_PREFIX)],
        wrong=wrong or {},
        host=host_of(product),
        encrypted=host_url.startswith("https:"),
        steps=len(product.revision.install_template),
        connections=[step.connection for step in product.revision.install_template if step.connection],
        terms=launch_url(details.terms_url or ""),
        support=launch_url(details.support_url or ""),
        owners=", ".join(one.username for one in colleagues if one.role is UserRole.OWNER),
    )
