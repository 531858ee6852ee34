"""Says once, on the page that follows, that an action was done. Only sentences of this table can be asked for."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from dispatcher.console.frame.screen import redirect

SAID = {
    "paused": "Paused: events are accepted and held until it is resumed, or the pause ends.",
    "resumed": "Resumed: what was held goes on in its order.",
    "type-paused": "Paused everywhere: its events are accepted and held until it is resumed, or the pause ends.",
    "type-resumed": "Resumed: what was held goes on, in its order, within some ten seconds.",
    "forwarded": "Brought forward: its next attempt is due now. What holds its integration back still holds.",
    "redelivered": "On the queue again, with what is published now.",
    "resolved": "Closed by hand: nothing more is sent for it.",
    "stopped": "Stopped: what was done of it stays, the rest is left as it is.",
    "over": "It had ended by itself already: there was nothing left to stop.",
    "acknowledged": "Noted that somebody knows of it.",
    "published": "Published: new events use it from now on.",
    "linked": "Linked: events of the product come here from now on.",
    "unlinked": "Unlinked: events of the product come here no more.",
    "saved": "Saved.",
    "disabled": "Disabled: its tokens and sessions end within seconds.",
    "made": "Made.",
    "made-with-key": "Made: it signs assertions with its key, and has no secret.",
    "keyed": "It signs assertions with that key from now on; what it had before ends within seconds.",
    "native": "Native: host applications may deploy connectors of it with a session.",
    "standard": "Standard: accounts set up connectors of it themselves.",
    "ended": "Ended: sessions in browsers, and links that nobody has opened.",
    "session-ended": "Ended: that session is refused from now on.",
    "sessions-ended": "Ended: those sessions are refused from now on; this one goes on.",
    "view-saved": "Saved as a view: it stands above the list from now on.",
    "view-changed": "Changed: whoever opens the view from now on sees this.",
    "view-deleted": "Deleted: the filter has no name any more, its events are as they were.",
    "enabled": "Enabled: what was parked is on its way, oldest first.",
    "not-suspended": "Nothing was suspended here: nothing has changed.",
    "scheduled": "Planned: keys are rotated by themselves.",
    "unscheduled": "Keys are rotated by hand only.",
}


def said(request: web.Request) -> str | None:
    """The sentence that the address asks for."""
    return SAID.get(request.query.get("said", ""))


def back(path: str, done: str) -> web.Response:
    """To the page, where it is said what was done."""
    return redirect(f"{path}{'&' if '?' in path else '?'}{urlencode({'said': done})}")
