"""Words of bulk actions, with how many events they are about. Pure."""

from __future__ import annotations

from dispatcher.model.redelivery import BulkAction

ACTION_WORDS = {
    BulkAction.REDELIVER: "Redeliver",
    BulkAction.DELIVER_NOW: "Deliver now",
    BulkAction.RESOLVE: "Resolve",
}
_COUNTED = {BulkAction.DELIVER_NOW: "Deliver {} now"}


def counted(action: BulkAction, what: str) -> str:
    """``Redeliver 3 events``, ``Deliver 3 now``."""
    return _COUNTED.get(action, ACTION_WORDS[action] + " {}").format(what)


def number_of(count: int, *, exact: bool = True) -> str:
    """``1 event``, ``1,024 or more events``."""
    return f"{count:,}{'' if exact else ' or more'} event{'' if count == 1 else 's'}"
