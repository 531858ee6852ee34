"""Makes and changes marketplaces, with the key that signs their callbacks. Never sends a callback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from dispatcher.errors import Problem, Unprocessable
from dispatcher.flow.integrations.fields.kind import UrlRule
from dispatcher.model.integration import SigningSecret
from dispatcher.model.marketplace import Brand, Marketplace
from dispatcher.model.precondition import Precondition
from dispatcher.policy.installing.brand import brand_problems
from dispatcher.policy.installing.marketplace_access import Reach
from dispatcher.policy.notification.signing import generate_secret
from dispatcher.policy.texts import name_problems
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.secrets.fields import marketplace_signing_secret
from dispatcher.store.secrets.sealing import Sealer

MAX_PRODUCTS = 1000
MAX_ORIGINS = 50
PLAIN = Brand()
OVERLAP_MS = 86_400_000
"""Time for which a replaced key goes on signing beside the new one."""


@dataclass(frozen=True, slots=True)
class MarketplaceForm:
    """A marketplace as its publisher describes it; a change replaces all of it."""

    name: str
    product_ids: tuple[str, ...] = ()
    notification_url: str | None = None
    allowed_origins: tuple[str, ...] = ()
    brand: Brand = PLAIN
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Keyed:
    """``signing_secret`` is in clear here, and nowhere afterwards."""

    marketplace: Marketplace
    signing_secret: str


@dataclass(frozen=True, slots=True)
class MarketplaceDesk:
    """The use cases; ``store`` and ``definitions`` are what exists for whoever acts."""

    store: MarketplaceStore
    definitions: Definitions
    sealer: Sealer
    url_rule: UrlRule
    reach: Reach

    async def create(self, form: MarketplaceForm, marketplace_id: int | None, now_ms: int) -> Keyed:
        """Raises ``Unprocessable`` with everything that is wrong, and ``Conflict`` for an id that is taken."""
        await self._check(form, ())
        number = await self.store.free_id() if marketplace_id is None else marketplace_id
        if not self.reach.holds_id(number):
            raise Unprocessable.of(
                "out_of_reach", "This client is bound to other marketplaces: give one of them.", "id"
            )
        secret = generate_secret()
        sealed = self.sealer.seal(secret, marketplace_signing_secret(number))
        keys = (SigningSecret(sealed, now_ms),)
        blank = Marketplace(number, "", now_ms, now_ms, signing_secrets=keys, vendor_id=self.reach.vendor_id)
        made = _filled(blank, form)
        await self.store.create(made)
        return Keyed(made, secret)

    async def change(
        self, marketplace_id: int, form: MarketplaceForm, now_ms: int, expected: Precondition | None = None
    ) -> Marketplace:
        """Replace what the form says; id, key and owner stay. Raises ``NotFound``, ``Unprocessable``, ``Conflict``."""
        known = await self.store.get(marketplace_id)
        await self._check(form, known.product_ids)

        def changed(current: Marketplace) -> Marketplace:
            return replace(_filled(current, form), modified_ms=max(now_ms, current.modified_ms + 1))

        return await self.store.edit(marketplace_id, changed, expected)

    async def rotate(self, marketplace_id: int, now_ms: int, expected: Precondition | None = None) -> Keyed:
        """A new key that signs from now on, beside the replaced one for a day. Raises ``NotFound``, ``Conflict``."""
        secret = generate_secret()
        newest = SigningSecret(self.sealer.seal(secret, marketplace_signing_secret(marketplace_id)), now_ms)

        def changed(current: Marketplace) -> Marketplace:
            kept = [one for one in current.signing_secrets if one.signs_at(now_ms)][:1]
            until_ms = now_ms + OVERLAP_MS
            ending = tuple(replace(one, not_after_ms=min(one.not_after_ms or until_ms, until_ms)) for one in kept)
            moved_on = max(now_ms, current.modified_ms + 1)
            return replace(current, signing_secrets=(newest, *ending), modified_ms=moved_on)

        return Keyed(await self.store.edit(marketplace_id, changed, expected), secret)

    async def _check(self, form: MarketplaceForm, before: tuple[str, ...]) -> None:
        problems = list(form_problems(form, self.url_rule))
        problems += await self._product_problems(form.product_ids, before)
        if problems:
            raise Unprocessable(problems)

    async def _product_problems(self, product_ids: tuple[str, ...], before: tuple[str, ...]) -> list[Problem]:
        """A marketplace holds products that its owner reaches; what it held ``before`` it may go on to hold."""
        asked = tuple(one for one in product_ids if one not in before)
        if not asked:
            return []
        mine = (await self.definitions.fetch(products=asked)).products
        refused = [(at, one) for at, one in enumerate(product_ids) if one in asked and one not in mine]
        return [_unknown(one, f"productIds.{at}") for at, one in refused]


def _unknown(product_id: str, field: str) -> Problem:
    """Another vendor's, too: what is out of reach does not exist."""
    text = f"There is no product {product_id[:128]!r}: link it to an integration, or describe it, before."
    return Problem("unknown_product", text, field)


def _filled(marketplace: Marketplace, form: MarketplaceForm) -> Marketplace:
    return replace(
        marketplace,
        name=form.name,
        product_ids=form.product_ids,
        notification_url=form.notification_url,
        allowed_origins=form.allowed_origins,
        brand=form.brand,
        confirm=form.confirm,
    )


def form_problems(form: MarketplaceForm, url_rule: UrlRule) -> Iterator[Problem]:
    """Everything wrong with it, field by field."""
    yield from name_problems(form.name, "name")
    yield from _list_problems(form.product_ids, "productIds", MAX_PRODUCTS)
    yield from _list_problems(form.allowed_origins, "allowedOrigins", MAX_ORIGINS)
    for at, product_id in enumerate(form.product_ids):
        yield from name_problems(product_id, f"productIds.{at}")
    for at, origin in enumerate(form.allowed_origins):
        if not is_origin(origin):
            text = "Give an origin such as https://app.example.com: scheme, host and port, without a path."
            yield Problem("invalid_value", text, f"allowedOrigins.{at}")
    if form.notification_url is not None and (problem := url_rule(form.notification_url, "notificationUrl")):
        yield problem
    yield from brand_problems(form.brand)


def _list_problems(values: tuple[str, ...], field: str, most: int) -> Iterator[Problem]:
    if len(values) > most:
        yield Problem("limit_reached", f"At most {most}.", field)
    if len(set(values)) < len(values):
        yield Problem("duplicate_value", "Name each one once.", field)


def is_origin(text: str) -> bool:
    """``scheme://host[:port]`` of http or https (RFC 6454 §6.2), in lower case as browsers send it."""
    try:
        parts = urlsplit(text)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return False
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    plain = host.isascii() and all(char.isalnum() or char in "-._:" for char in host)
    return bool(host) and plain and parts.scheme in ("http", "https") and text == f"{parts.scheme}://{bracketed}{port}"
