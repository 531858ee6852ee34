"""The pace of a bulk action in words: the rate that will be used, also where nobody gave one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.flow.events.acting.bulk_preview import IntegrationShare, Preview


def pace(seen: Preview, rate_per_s: float | None) -> str:
    """One or two sentences."""
    limited = [one for one in seen.integrations if one.rate_per_s]
    if rate_per_s is not None:
        return f"It goes at {_number(rate_per_s)} events a second{_bounded(limited)}."
    if not limited:
        return "No rate bounds it: it goes as fast as the hosts answer."
    in_all = _number(sum(one.rate_per_s or 0 for one in limited))
    if len(limited) == len(seen.integrations):
        whose = "Its integration's own limit" if len(limited) == 1 else "The integrations' own limits"
        return f"{whose} of {in_all} a second {'paces' if len(limited) == 1 else 'in all pace'} it."
    few = sum(one.matched for one in limited)
    return f"Own limits of {in_all} a second pace {few:,} of them; the others go as fast as their hosts answer."


def _bounded(limited: Sequence[IntegrationShare]) -> str:
    return ", where an integration's own limit is not lower" if limited else ""


def _number(rate: float) -> str:
    return f"{rate:,.2f}".rstrip("0").rstrip(".") if rate < 1000 else f"{rate:,.0f}"
