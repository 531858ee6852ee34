"""Rotates ed25519 signing keys on a schedule that a publisher sets. Off by default.

Only ed25519: the public half of a new key is published at once, so nobody has to be handed anything. A new HMAC secret
would have to reach the host within the overlap, and nothing here could know that it did.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from dispatcher.clock import DAY_MS, iso_ms
from dispatcher.errors import Conflict, NotFound, Problem, Unprocessable
from dispatcher.flow.integrations.credentials.rotate_secret import (
    DEFAULT_OVERLAP_S,
    MAX_OVERLAP_S,
    new_key,
    with_new_key,
)
from dispatcher.model.audit_entry import Author
from dispatcher.model.integration import Integration, SigningAlgorithm, SigningRotation
from dispatcher.model.operational import Notify, OperationalEvent, OperationalKind
from dispatcher.policy.notification.signing import published_key
from dispatcher.store.audit_log.log import AuditLog, Noting
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.secrets.sealing import Sealer

MAX_DAYS = 366
MIN_OVERLAP_S = 300.0
"""Hosts keep fetched keys for a minute or more."""
AT_ONCE = 20

log = structlog.get_logger("rotation")


async def schedule_rotation(
    definitions: Definitions,
    rotations: DueStore,
    any_id: str,
    now_ms: int,
    *,
    every_days: int | None,
    overlap_s: float = DEFAULT_OVERLAP_S,
    algorithm: SigningAlgorithm = SigningAlgorithm.ED25519,
) -> Integration:
    """Rotate every ``every_days`` days, for the first time when the current key is that old; None = no more.

    An integration without an ed25519 key gets one within seconds. Raises ``NotFound``, and ``Unprocessable``.
    """
    problems = _problems(every_days, overlap_s, algorithm)
    if problems:
        raise Unprocessable(problems)

    def change(current: Integration) -> Integration:
        planned = None
        if every_days is not None:
            planned = SigningRotation(every_days, overlap_s, _first_ms(current, every_days, now_ms))
        return replace(current, signing_rotation=planned, modified_ms=now_ms)

    changed = await definitions.edit(any_id, change)
    if changed.signing_rotation is None:
        await rotations.drop(changed.id)
    else:
        await rotations.at(changed.id, changed.signing_rotation.next_ms)
    return changed


def _problems(every_days: int | None, overlap_s: float, algorithm: SigningAlgorithm) -> list[Problem]:
    problems = []
    if algorithm is not SigningAlgorithm.ED25519:
        text = (
            "Only ED25519 keys are rotated on a schedule: their public halves are published. A new HMAC secret has to "
            "reach the product host, so rotate it by hand with rotateProductIntegrationSigningSecret."
        )
        problems.append(Problem("not_schedulable", text, "algorithm"))
    if every_days is not None and not 1 <= every_days <= MAX_DAYS:
        problems.append(Problem("out_of_range", f"Rotate every 1 to {MAX_DAYS} days, or null = never.", "everyDays"))
    if not MIN_OVERLAP_S <= overlap_s <= MAX_OVERLAP_S:
        text = f"The overlap is between {MIN_OVERLAP_S:.0f} and {MAX_OVERLAP_S:.0f} seconds."
        problems.append(Problem("out_of_range", text, "overlapSeconds"))
    return problems


def _first_ms(integration: Integration, every_days: int, now_ms: int) -> int:
    current = next((one for one in integration.signing_secrets if _is_current(one.algorithm, one.not_after_ms)), None)
    return max(now_ms, current.created_ms + every_days * DAY_MS) if current else now_ms


def _is_current(algorithm: SigningAlgorithm, not_after_ms: int | None) -> bool:
    return algorithm is SigningAlgorithm.ED25519 and not_after_ms is None


class _NotDueError(Exception):
    """Somebody else has rotated, or the schedule was changed, since it was taken."""


@dataclass(frozen=True, slots=True)
class Rotating:
    """One round of it. Any worker may run one at any time: each rotation that is due is made once."""

    definitions: Definitions
    rotations: DueStore
    sealer: Sealer
    audit: AuditLog
    notify: Notify

    async def once(self) -> int:
        """Rotate what is due; returns how many were."""
        taken = await self.rotations.take(AT_ONCE)
        rotated = 0
        for integration_id in taken.ids:
            rotated += await self._rotate(integration_id, taken.now_ms)
        return rotated

    async def _rotate(self, integration_id: str, now_ms: int) -> bool:
        seed, public_key = new_key(SigningAlgorithm.ED25519)

        def change(current: Integration) -> Integration:
            planned = current.signing_rotation
            if planned is None or planned.next_ms > now_ms:
                raise _NotDueError
            changed = with_new_key(
                current, self.sealer, seed, public_key, SigningAlgorithm.ED25519, now_ms, planned.overlap_s
            )
            return replace(changed, signing_rotation=replace(planned, next_ms=now_ms + planned.every_days * DAY_MS))

        noting = Noting(self.audit, Author("schedule"), "rotateSigningKey", now_ms)
        try:
            changed = await self.definitions.noted(noting).edit(integration_id, change)
        except _NotDueError:
            await self._plan_again(integration_id)
            return False
        except NotFound:
            await self.rotations.drop(integration_id)
            return False
        except Conflict as error:
            log.warning("rotation put off", integration_id=integration_id, error=str(error))
            return False
        await self._done(changed, str(public_key), now_ms)
        return True

    async def _done(self, changed: Integration, public_key: str, now_ms: int) -> None:
        planned = changed.signing_rotation
        assert planned is not None
        await self.rotations.at(changed.id, planned.next_ms)
        detail = {"kid": published_key(public_key)["kid"], "nextRotationAt": iso_ms(planned.next_ms)}
        log.info("signing key rotated", integration_id=changed.id, **detail)
        self.notify(OperationalEvent(OperationalKind.SIGNING_KEY_ROTATED, changed.id, now_ms, detail=detail))

    async def _plan_again(self, integration_id: str) -> None:
        current = await self.definitions.integration(integration_id)
        if current is None or current.signing_rotation is None:
            await self.rotations.drop(integration_id)
        else:
            await self.rotations.at(integration_id, current.signing_rotation.next_ms)
