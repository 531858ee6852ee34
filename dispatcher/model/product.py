"""A product's description for customers. ``dispatcher.model.integration`` has the product itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edition:
    """A plan under which a product is ordered; ``code`` travels as ``order.editionCode``."""

    code: str
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ProductDetails:
    """Everything that customers read of a product before they order it."""

    name: str | None = None
    description: str | None = None
    logo: str | None = None
    support_url: str | None = None
    terms_url: str | None = None
    editions: tuple[Edition, ...] = ()


UNDESCRIBED = ProductDetails()
