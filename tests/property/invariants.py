"""Laws of a partition after every step, whoever claims and whatever is claimed together. Holds no test."""

from __future__ import annotations

from hypothesis.stateful import invariant

from tests.property.on_server import OnServer
from tests.property.queue_model import LANES


class Invariants(OnServer):
    """The model says what the partition holds; the store is held to it."""

    @invariant()
    def the_audit_is_well(self) -> None:
        report = self.run(self.store.recount())
        assert report.well, report
        assert report.open == sum(known.place != "end" for known in self.model.events.values())
        assert report.terminal == self.model.counts["terminal"]
        counted = self.run(self.queue.counters())
        for name in ("accepted", "notified", "reopened"):
            assert counted.get(name, 0) == self.model.counts[name]

    @invariant()
    def every_place_holds_what_it_should(self) -> None:
        assert set(self.ask(self.redis.hkeys("{p0}:flight"))) == self.model.ids("flight")
        assert set(self.ask(self.redis.zrange("{p0}:wait", 0, -1))) == self.model.ids("wait")
        assert set(self.ask(self.redis.zrange("{p0}:dead", 0, -1))) == self.model.dead()
        for lane in LANES:
            waiting, parked = (self.model.ids(*places, lane=lane) for places in (("due", "later"), ("park",)))
            fields = self.ask(self.redis.hmget(f"{{p0}}:l:{lane}", "busy", "behind"))
            assert [int(field or 0) for field in fields] == [self.model.busy(lane), self.model.behind(lane)]
            assert set(self.ask(self.redis.zrange(f"{{p0}}:d:{lane}", 0, -1))) == waiting
            assert set(self.ask(self.redis.zrange(f"{{p0}}:park:{lane}", 0, -1))) == parked
        for (lane, group), ids in self.model.groups.items():
            stored = self.ask(self.redis.lrange(f"{{p0}}:k:{lane}:{group}", 0, -1))
            assert [one.decode() for one in stored] == ids

    @invariant()
    def every_lane_with_work_is_served_in_time(self) -> None:
        for lane in LANES:
            first = self.ask(self.redis.zrange(f"{{p0}}:d:{lane}", 0, 0, withscores=True))
            score = self.ask(self.redis.zscore("{p0}:lanes", lane))
            assert (score is None) == (not first)
            limits = self.model.lanes[lane]
            stored_cap = self.ask(self.redis.hget(f"{{p0}}:l:{lane}", "cap"))
            full = stored_cap is not None and self.model.busy(lane) >= int(stored_cap)
            if first and not (full or limits.paused or limits.circuit_open):
                assert score <= max(first[0][1], self._now_ms())

    def _now_ms(self) -> int:
        seconds, microseconds = self.ask(self.redis.time())
        return int(seconds) * 1000 + int(microseconds) // 1000
