"""Keeps a storm from becoming a storm of messages: the first happening is told at once, those that follow together.

Each kind of each integration is told of once a window at most. Beyond ``MAX_TOPICS`` topics in a window, happenings of
one kind are told together whatever integration they are about. Pure: time is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.model.operational import Bundle, Happening, OperationalKind

WINDOW_MS = 60_000
MAX_TOPICS = 100

Topic = tuple[OperationalKind, str | None]


@dataclass(slots=True)
class _Waiting:
    due_ms: int
    bundle: Bundle | None = None


class Bundling:
    """What is yet to be told."""

    def __init__(self, window_ms: int = WINDOW_MS, max_topics: int = MAX_TOPICS) -> None:
        self._window_ms = window_ms
        self._max_topics = max_topics
        self._topics: dict[Topic, _Waiting] = {}

    def add(self, happening: Happening) -> None:
        topic: Topic = (happening.kind, happening.integration_id)
        if topic not in self._topics and len(self._topics) >= self._max_topics:
            topic = (happening.kind, None)
        waiting = self._topics.setdefault(topic, _Waiting(due_ms=0))
        if waiting.bundle is None:
            waiting.bundle = Bundle(topic[1], happening, happening)
        else:
            waiting.bundle = replace(waiting.bundle, last=happening, count=waiting.bundle.count + 1)

    def take(self, now_ms: int, *, everything: bool = False) -> list[Bundle]:
        """What is to be told now, in the order in which it last happened; ``everything``: windows or not."""
        taken = []
        for topic, waiting in list(self._topics.items()):
            if now_ms < waiting.due_ms and not everything:
                continue
            if waiting.bundle is None:
                del self._topics[topic]
                continue
            taken.append(waiting.bundle)
            waiting.bundle, waiting.due_ms = None, now_ms + self._window_ms
        return sorted(taken, key=lambda bundle: bundle.last.at_ms)
