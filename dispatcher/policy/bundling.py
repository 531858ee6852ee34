"""Bundles operational events, so that a storm of them is few messages: the first at once, those that follow together.

Each kind of each integration makes one message a window at most. Beyond ``MAX_TOPICS`` topics in a window, events of
one kind share a message whatever integration they are about. Pure: time is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.model.operational import Bundle, OperationalEvent, OperationalKind

WINDOW_MS = 60_000
MAX_TOPICS = 100

Topic = tuple[OperationalKind, str | None, str]


@dataclass(slots=True)
class _Waiting:
    due_ms: int
    bundle: Bundle | None = None


class Bundling:
    """Events that wait for their message."""

    def __init__(self, window_ms: int = WINDOW_MS, max_topics: int = MAX_TOPICS) -> None:
        self._window_ms = window_ms
        self._max_topics = max_topics
        self._topics: dict[Topic, _Waiting] = {}

    def add(self, event: OperationalEvent) -> None:
        topic: Topic = (event.kind, event.integration_id, event.topic)
        if topic not in self._topics and len(self._topics) >= self._max_topics:
            topic = (event.kind, None, "")
        waiting = self._topics.setdefault(topic, _Waiting(due_ms=0))
        if waiting.bundle is None:
            waiting.bundle = Bundle(topic[1], event, event)
        else:
            waiting.bundle = replace(waiting.bundle, last=event, count=waiting.bundle.count + 1)

    def take(self, now_ms: int, *, everything: bool = False) -> list[Bundle]:
        """Bundles that are due, the one whose last event is oldest first; ``everything``: also before they are due."""
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
