"""Acts of one worker at a time on a partition: own, claim, settle, limit, rest, be taken over from. Holds no test."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.status import TERMINAL, Status
from dispatcher.store.queue.owning.claims import Claimed, LaneSetting, Move, Settlement
from tests.property.on_server import AT_MOST, ENDING, LANE, PICK, OnServer, only_if, picked
from tests.property.queue_model import FIRST_CAP, LANES, URL, Tracked


class WorkerSteps(OnServer):
    """One owner after the other, each with its generation. ``late``: claims of events that were concluded since."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, Claimed] = {}
        self.late: list[Claimed] = []
        self.unsure = False
        self.owner = 0
        self.parted: set[int] = set()
        """Generations of owners that let go of the partition and went on with attempts."""

    @property
    def generation(self) -> int:
        return self.worker.generations[0]

    @initialize()
    def take_up(self) -> None:
        self.run(self.redis.flushall())
        self._own_anew()

    @precondition(lambda self: not self.unsure)
    @rule(at_most=AT_MOST)
    def claim(self, at_most: int) -> None:
        for claimed in self._claim(at_most):
            if claimed.event.id in self.held:  # concluded from outside, redelivered, and now claimed once more
                self.late.append(self.held[claimed.event.id])
            self.held[claimed.event.id] = claimed

    @rule()
    def recount(self) -> None:
        assert self.run(self.store.repair_lanes([0])) == {}

    @precondition(lambda self: not self.unsure)
    @rule(at_most=AT_MOST)
    def claim_and_lose_the_reply(self, at_most: int) -> None:
        self._claim(at_most)
        self.unsure = True

    @rule()
    def come_back(self) -> None:
        handles = [claimed.claim_id for claimed in self.held.values()]
        assert self.run(self.store.own(0, self.generation, self.worker.name, handles))
        known_claims = {i: one for i, one in self.held.items() if self._in_flight(i, one)}
        self.late += [one for i, one in self.held.items() if i not in known_claims]
        for known in self._given_back():
            if known.event.id not in known_claims:
                known.place = "due"
        self.held = known_claims
        self.unsure = False

    @rule(pick=PICK, ending=ENDING, told=st.booleans(), reply_lost=st.booleans())
    @only_if(lambda self: self.held)
    def settle(self, pick: int, ending: tuple[Status | Move, int], told: bool, reply_lost: bool) -> None:
        event_id = picked(pick, self.held)
        known, claimed, (to, delay_ms) = self.model.events[event_id], self.held.pop(event_id), ending
        notice = self.model.new_event(known.event.integration_id, known.event.account_id, EventType.SUBSCRIPTION_STATUS)
        attempt = None if isinstance(to, Move) else Attempt(claimed.n, 1, 1.0, URL, Outcome.OK)
        told = told and to in TERMINAL
        wanted = Settlement(claimed, to, delay_ms, attempt, notification=notice if told else None)
        counts = known.place == "flight"
        assert self._settle(wanted) == int(counts)
        if reply_lost:
            assert self._settle(wanted) == 0
        if not counts:
            return
        if wanted.notification:
            self.model.admitted(notice, "notified")
        self.model.settled(known, to, delay_ms)

    @rule(endings=st.lists(st.tuples(ENDING, st.booleans()), min_size=2, max_size=8))
    @only_if(lambda self: len(self.held) > 1)
    def settle_together(self, endings: list[tuple[tuple[Status | Move, int], bool]]) -> None:
        """One call reads nothing that it wrote before: outcomes of one lane, or one group, must add up."""
        wanted, counted = [], 0
        for event_id, ((to, delay_ms), told) in zip(sorted(self.held), endings, strict=False):
            known, claimed = self.model.events[event_id], self.held.pop(event_id)
            attempt = None if isinstance(to, Move) else Attempt(claimed.n, 1, 1.0, URL, Outcome.OK)
            notice = None
            if known.place == "flight":
                if told and to in TERMINAL:
                    lane, account = known.event.integration_id, known.event.account_id
                    notice = self.model.new_event(lane, account, EventType.SUBSCRIPTION_STATUS)
                    self.model.admitted(notice, "notified")
                counted += 1
                self.model.settled(known, to, delay_ms)
            wanted.append(Settlement(claimed, to, delay_ms, attempt, notification=notice))
        assert self.run(self.worker.settle(0, wanted)) == counted

    @rule(pick=PICK)
    @only_if(lambda self: self.held)
    def settle_under_a_lost_generation(self, pick: int) -> None:
        late = Settlement(self.held[picked(pick, self.held)], Status.SUCCEEDED)
        lost = 1 if self.generation - 1 in self.parted else self.generation - 1
        assert self.run(self.worker.settle(0, [late], generation=lost)) == -1

    @rule()
    @only_if(lambda self: self.late)
    def settle_what_was_concluded_and_redelivered_since(self) -> None:
        assert self._settle(Settlement(self.late.pop(), Status.SUCCEEDED)) == 0

    @rule(lane=LANE, cap=st.integers(1, 4), circuit=st.integers(0, 4))
    def limit(self, lane: str, cap: int, circuit: int) -> None:
        opened = circuit == 0
        until = 2e12 if opened else None
        limits = [LaneSetting(lane, "cap", cap), LaneSetting(lane, "circuit", until)]
        assert self.run(self.worker.settle(0, [], limits)) == 0
        self.model.lanes[lane].cap, self.model.lanes[lane].circuit_open = cap, opened

    @rule()
    def another_worker_takes_over(self) -> None:
        self.ask(self.redis.hset("{p0}:own", mapping={"until": 0, "granted": 0}))
        self._own_anew()
        for known in self._given_back():
            known.place, known.attempts = "due", known.attempts + 1

    @rule()
    def rest_and_return(self) -> None:
        assert self.run(self.store.rest(0, self.generation))
        for known in self._given_back():
            known.place = "due"
        self._own_anew()

    def _given_back(self) -> list[Tracked]:
        """Of what is in flight all that no former owner goes on with."""
        going_on = self._going_on()
        return [known for known in self.model.in_place("flight") if known.event.id not in going_on]

    def _going_on(self) -> set[str]:
        """Events that former owners go on with: of these steps none."""
        return set()

    def _in_flight(self, event_id: str, claimed: Claimed) -> bool:
        """True for the claim that the store knows of, not one of before the event was concluded."""
        known = self.model.events[event_id]
        return known.place == "flight" and claimed.n == known.attempts + 1

    def _own_anew(self) -> None:
        self.owner += 1
        self.worker.name = f"w{self.owner}"
        self.run(self.worker.own(0))
        self.held, self.late, self.unsure = {}, [], False
        for limits in self.model.lanes.values():
            limits.cap = FIRST_CAP  # what the owner before had learnt goes with it

    def _claim(self, at_most: int) -> list[Claimed]:
        """Exactly what the caps allow is claimed: never more, and nothing that could go is left."""
        room = {lane: self.model.room(lane) for lane in LANES}
        claim = self.run(self.worker.claim(0, at_most))
        assert len(claim.events) == min(at_most, sum(room.values()))
        for claimed in claim.events:
            known = self.model.events[claimed.event.id]
            room[known.event.integration_id] -= 1
            assert known.place == "due"
            assert claimed.n == known.attempts + 1
            known.place = "flight"
        assert min(room.values()) >= 0
        return claim.events

    def _settle(self, settlement: Settlement) -> int:
        return self.run(self.worker.settle(0, [settlement]))
