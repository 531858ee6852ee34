"""Events that transitions of installations make: what the product host and the marketplace are told. Stores nothing.

No secret is in an event: settings travel with masks, which the worker fills in when it sends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dispatcher.ids import partition_of_lane
from dispatcher.model.effect import Effect, LockChange, update_holder
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.installation import Act, Installation, Moved, Purchase
from dispatcher.model.marketplace import callback_lane
from dispatcher.policy.installing.rules import Moment, act_id
from dispatcher.policy.installing.steps import step_json
from dispatcher.policy.secrets.setting_secrets import masked

_TYPES = {
    Act.ORDER: EventType.SUBSCRIPTION_ORDER,
    Act.CHANGE: EventType.SUBSCRIPTION_CHANGE,
    Act.CANCEL: EventType.SUBSCRIPTION_CANCEL,
    Act.INSTALL_STEP: EventType.INSTALL_STEP,
    Act.UNINSTALL_STEP: EventType.UNINSTALL_STEP,
    Act.ASSIGN: EventType.USER_ASSIGNMENT,
    Act.UNASSIGN: EventType.USER_UNASSIGNMENT,
}
_STATUSES = {
    Act.INSTALLED: "installed",
    Act.UNINSTALLED: "uninstalled",
    Act.UPDATE_AVAILABLE: "update_available",
    Act.UPDATED: "updated",
    Act.ABANDONED: "abandoned",
}
"""In the words of host applications."""
_PERSON = ("uuid", "openId", "email", "firstName", "lastName", "language", "locale", "address", "attributes")
_COMPANY = ("uuid", "externalId", "name", "email", "phoneNumber", "website", "country")


def moment_of(installation: Installation, partitions: int, now_ms: int) -> Moment:
    lane = installation.integration_id
    return Moment(now_ms, partition_of_lane(lane, partitions) if lane else 0, partitions)


def effects_of(
    before: Installation | None, moved: Moved, at: Moment, *, company_name: str | None, by: str | None
) -> tuple[Effect, ...]:
    """The effects of a transition of a known definition's installation. ``by``: e-mail of the user who caused it."""
    about = moved.installation or before
    if about is None or about.integration_id is None:
        return ()
    number = (before.transitions if before else 0) + 1
    effects: list[Effect] = []
    for act in moved.acts:
        if act in (Act.LOCK, Act.UNLOCK):
            effects += _lock(about, number, locked=act is Act.LOCK)
        elif act in _STATUSES:
            effects += _callback(act, number, about, at, moved.left_behind)
        elif act in _TYPES:
            payload = _payload(act, about, moved, company_name)
            if act is Act.CHANGE and before is not None and before.purchase != about.purchase:
                payload |= {"order": _order(about.purchase), "configuration": about.purchase.configuration}
            effects.append(_event(act, number, about, at, payload, by))
    return tuple(effects)


def _event(act: Act, number: int, about: Installation, at: Moment, payload: dict[str, Any], by: str | None) -> Event:
    assert about.integration_id is not None
    return Event(
        id=act_id(about.id, number, act, at),
        type=_TYPES[act],
        integration_id=about.integration_id,
        revision=_revision(act, about),
        product_id=about.product_id,
        account_id=about.account_id,
        subscription_id=about.id,
        creator=_person(by or about.creator),
        payload=payload,
    )


def _revision(act: Act, about: Installation) -> int:
    """A step that a newer revision asks for is asked about as that one has it."""
    if act is Act.INSTALL_STEP and about.upgrade is not None:
        return about.upgrade.revision
    return about.revision or 0


def _callback(act: Act, number: int, about: Installation, at: Moment, left_behind: tuple[str, ...]) -> list[Effect]:
    if about.marketplace_id is None:
        return []
    lane = callback_lane(about.marketplace_id)
    there = replace(at, partition=partition_of_lane(lane, at.partitions))
    payload: dict[str, Any] = {
        "Status": _STATUSES[act],
        "AccountId": about.account_id,
        "IntegrationId": about.id,
        "ProductId": about.product_id,
        "MarketplaceId": about.marketplace_id,
        "CompleteParameter": about.complete_parameter,
    }
    if left_behind:
        payload["LeftBehind"] = list(left_behind)
    if act in (Act.UPDATE_AVAILABLE, Act.UPDATED):
        payload["PublishedRevision"] = about.upgrade.revision if about.upgrade else about.revision
    return [
        Event(
            id=act_id(about.id, number, act, there),
            type=EventType.MARKETPLACE_CALLBACK,
            integration_id=lane,
            revision=1,
            product_id=about.product_id,
            account_id=about.account_id,
            subscription_id=about.id,
            payload=payload,
        )
    ]


def _lock(about: Installation, number: int, *, locked: bool) -> list[Effect]:
    if about.integration_id is None or about.account_id is None:
        return []
    return [LockChange(about.integration_id, about.account_id, update_holder(about.id), number, locked)]


def _payload(act: Act, about: Installation, moved: Moved, company_name: str | None) -> dict[str, Any]:
    if act is Act.ORDER:
        return {
            "company": _blank(_COMPANY) | {"uuid": about.account_id, "name": company_name or about.account_id},
            "order": _order(about.purchase),
            "configuration": about.purchase.configuration,
        }
    if act is Act.CHANGE:
        return {"account": _account(about, "ACTIVE"), "configuration": masked(about.settings)}
    if act is Act.CANCEL:
        return {"account": _account(about, "CANCELLED")}
    if moved.person is not None:
        user = {"uuid": moved.person.id, "email": moved.person.email}
        return {"user": _blank(_PERSON) | user, "account": _account(about, "ACTIVE")}
    assert moved.step is not None
    step = moved.step
    function = step.installer_function if act is Act.INSTALL_STEP else step.uninstaller_function
    return {
        "function": function,
        "_integrationId": about.id,
        "_connectionId": step.connection_id,
        "step": step_json(step),
    }


def _account(about: Installation, status: str) -> dict[str, Any]:
    return {"accountIdentifier": about.account_identifier, "status": status}


def _order(purchase: Purchase) -> dict[str, Any] | None:
    if purchase.edition is None and purchase.quantity is None:
        return None
    items = [{"unit": "USER", "quantity": purchase.quantity}] if purchase.quantity is not None else []
    return {"editionCode": purchase.edition, "items": items}


def _person(email: str | None) -> dict[str, Any] | None:
    return _blank(_PERSON) | {"email": email} if email else None


def _blank(names: tuple[str, ...]) -> dict[str, Any]:
    return dict.fromkeys(names)
