"""URLs that were enabled after a 410 and have not answered since: one attempt at a time finds out if they are gone.

In their owner's memory; which URLs they are is in the store.
"""

from __future__ import annotations

from dispatcher.model.attempt import ClaimId


class HalfOpenUrls:
    """Of one integration."""

    __slots__ = ("_ended", "_under_way")

    def __init__(self) -> None:
        self._under_way: dict[str, ClaimId] = {}
        self._ended = 0

    @property
    def moment(self) -> int:
        """To be taken before the store is asked which URLs are half-open."""
        return self._ended

    def begin(self, url: str, claim_id: ClaimId, moment: int) -> bool:
        """Take the URL up; False while another attempt there goes on, or where one has ended since ``moment``.

        What that one showed is in the store by now: whoever did not see it asks again.
        """
        if url in self._under_way or moment != self._ended:
            return False
        self._under_way[url] = claim_id
        return True

    def taken_by(self, claim_id: ClaimId) -> str | None:
        """The URL that the attempt has taken up, if any."""
        return next((url for url, holder in self._under_way.items() if holder == claim_id), None)

    def end(self, claim_id: ClaimId) -> None:
        """To be called once the store knows what the attempt showed."""
        url = self.taken_by(claim_id)
        if url is not None:
            del self._under_way[url]
            self._ended += 1
