"""Events to accept, and the answers to that, as pydantic models. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import WithJsonSchema

from dispatcher.api.rest.models import Name, ProblemOut, Wire
from dispatcher.model.event_type import emittable_names

TypeName = Annotated[Name, WithJsonSchema({"enum": emittable_names()})]


class EventIn(Wire):
    """One event to accept. Without ``accountId`` nothing orders it."""

    type: TypeName
    product_id: Name
    account_id: Name | None = None
    payload: dict[str, Any] | None = None
    creator: dict[str, Any] | None = None
    flag: Literal["DEVELOPMENT"] | None = None
    subscription_id: Name | None = None


class AcceptedOut(Wire):
    id: str
    event_url: str
    status: Literal["QUEUED"]


class BatchItemOut(Wire):
    index: int
    status: int
    id: str | None = None
    errors: list[ProblemOut] | None = None


class BatchOut(Wire):
    results: list[BatchItemOut]
