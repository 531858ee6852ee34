"""The reason why an event is where it is, in the words of whoever runs its host. Decides nothing."""

from __future__ import annotations

from markupsafe import Markup

from dispatcher.clock import iso_ms
from dispatcher.model.queue import Explanation, Reason
from dispatcher.pages.moments import moment
from dispatcher.portal.developer import Developer

_OPERATORS_OWN = frozenset(
    {Reason.PAUSED, Reason.TYPE_PAUSED, Reason.SHARE_USED, Reason.NO_WORKER, Reason.UPDATE_IN_PROGRESS}
)
"""Reasons whose detail is no affair of the host's."""


def reason(explained: Explanation, developer: Developer) -> Markup:
    """With its end, where one is known, and what the host itself said."""
    t = developer.t
    parts = [t(f"portal.why.{explained.reason.value}")]
    if explained.until_ms is not None:
        when = moment(explained.until_ms, developer.now_ms, t)
        parts.append(t("portal.why_until", when=when, at=iso_ms(explained.until_ms)))
    if explained.detail and explained.reason not in _OPERATORS_OWN:
        parts.append(t("portal.why_detail", detail=explained.detail.rstrip(".")))
    if explained.cause is not None:
        parts.append(t("portal.why_cause", why=reason(explained.cause, developer)))
    return Markup(" ").join(parts)
