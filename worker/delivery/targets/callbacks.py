"""Target of a marketplace's callbacks: its ``notificationUrl``, signed with its keys. Read anew for each: few come."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.integration import AnswerMode, Integration, OutboundCredentials, Revision
from dispatcher.model.marketplace import NOTIFICATION_URL, Marketplace, callback_lane
from dispatcher.policy.integration_filter.filter import compile_filter
from dispatcher.policy.notification.signing import parse_secret
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.secrets.fields import marketplace_signing_secret
from dispatcher.store.secrets.sealing import Sealer
from worker.delivery.targets.target import Defaults, Target


@dataclass(frozen=True, slots=True)
class CallbackTargets:
    """One per process."""

    store: MarketplaceStore
    sealer: Sealer
    defaults: Defaults

    async def find(self, marketplace_id: int) -> Target | None:
        """None = the marketplace is gone. Without a URL its callbacks are SKIPPED."""
        marketplace = await self.store.find(marketplace_id)
        return self._opened(marketplace) if marketplace is not None else None

    def _opened(self, marketplace: Marketplace) -> Target:
        url = marketplace.notification_url
        urls = {NOTIFICATION_URL: url} if url else {}
        revision = Revision(number=1, urls=urls, answers=AnswerMode.ACK)
        lane, context = callback_lane(marketplace.id), marketplace_signing_secret(marketplace.id)
        secrets = [self.sealer.open(one.secret, context) for one in marketplace.signing_secrets]
        ends = [one.not_after_ms for one in marketplace.signing_secrets]
        return Target(
            integration=Integration(lane, 0, "", marketplace.name, 0, 0, working=revision, published_revision=1),
            revision=revision,
            keys=tuple((parse_secret(text), end_ms) for text, end_ms in zip(secrets, ends, strict=True)),
            credentials=OutboundCredentials(),
            token_key=None,
            fixed_headers={"Content-Type": "application/json"},
            secrets=tuple(secrets),
            schedule_s=self.defaults.schedule_s,
            timeout_s=self.defaults.timeout_s,
            result_deadline_s=self.defaults.result_deadline_s,
            answers=revision.answers,
            filter=compile_filter(None),
        )
