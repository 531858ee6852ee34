"""One worker at a time that claims runs, sends their events in turn, and settles in rounds. Holds no test.

What the host would see is judged at once: an event is sent only when the host has taken all that come before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from dispatcher.model.attempt import Attempt, ClaimId, Outcome
from dispatcher.model.status import Status
from dispatcher.store.queue.owning.claims import Claim, Claimed, Followers, LaneSetting, Move, Settlement
from tests.hand_worker import HandWorker
from tests.property.on_server import ENDING, LANE, PICK, OnServer, only_if
from tests.property.queue_model import FIRST_CAP, LANES, URL, Tracked
from worker.partition.run import Run

MOST = 3
"""Events of a run."""
TAKEN = (Status.SUCCEEDED, Status.SKIPPED)


@dataclass
class UnderWay:
    """A run, or an event alone: what is sent now, and what follows it."""

    claimed: Claimed
    run: Run

    @property
    def claim_ids(self) -> list[ClaimId]:
        return [self.claimed.claim_id, *(one.claim_id for one in self.run)]


@dataclass
class Hands:
    """All that a worker knows of, which a killed one forgets. ``taken``: what the host took and nobody has settled."""

    under_way: list[UnderWay] = field(default_factory=list)
    outcomes: list[Settlement] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)

    @property
    def claim_ids(self) -> list[ClaimId]:
        return [
            *(one for run in self.under_way for one in run.claim_ids),
            *(outcome.claimed.claim_id for outcome in self.outcomes),
        ]


class RunSteps(OnServer):
    """One owner after the other, each with its generation."""

    def __init__(self) -> None:
        super().__init__()
        self.worker = HandWorker(self.redis, 1, lane_cap=FIRST_CAP, run=MOST)
        self.store = self.worker.store
        self.hands = Hands()
        self.unsure = False
        self.owner = 0

    @initialize()
    def take_up(self) -> None:
        self.run(self.redis.flushall())
        self._own_anew()

    @precondition(lambda self: not self.unsure)
    @rule(at_most=st.integers(1, 12))
    def claim(self, at_most: int) -> None:
        claim = self._claim(at_most)
        for head in claim.events:
            self.hands.under_way.append(UnderWay(head, Run(_followers(claim, head), until=0)))
            self._judge(head)

    @precondition(lambda self: not self.unsure)
    @rule(at_most=st.integers(1, 12))
    def claim_and_lose_the_reply(self, at_most: int) -> None:
        self._claim(at_most)
        self.unsure = True

    @rule(pick=PICK, ending=ENDING, in_time=st.booleans())
    @only_if(lambda self: self.hands.under_way)
    def end(self, pick: int, ending: tuple[Status | Move, int], in_time: bool) -> None:
        """The attempt that is under way in a run ends. ``in_time``: what follows may begin."""
        at = pick % len(self.hands.under_way)
        sent = self.hands.under_way[at]
        outcome = _outcome(sent.claimed, *ending)
        self.hands.outcomes.append(outcome)
        if outcome.to in TAKEN:
            self.hands.taken.add(sent.claimed.event.id)
        following = sent.run.next_after(outcome) if in_time else None
        if following is None:
            del self.hands.under_way[at]
            self.hands.outcomes += [Settlement(one, Move.RELEASE) for one in sent.run]
        else:
            sent.claimed = following
            self._judge(following)

    @rule(pick=PICK)
    @only_if(lambda self: self.hands.under_way)
    def all_goes_well(self, pick: int) -> None:
        """Steps that happen most of the time."""
        at = pick % len(self.hands.under_way)
        for _ in self.hands.under_way[at].claim_ids:
            self.end(at, (Status.SUCCEEDED, 0), in_time=True)

    @precondition(lambda self: not self.unsure)
    @rule(reply_lost=st.booleans())
    def settle(self, reply_lost: bool) -> None:
        """A round: all outcomes, in the order in which they came."""
        outcomes, self.hands.outcomes = self.hands.outcomes, []
        counted = sum(self._settled(one) for one in outcomes)
        assert self.run(self.worker.settle(0, outcomes)) == counted
        if reply_lost:
            assert self.run(self.worker.settle(0, outcomes)) == 0
        self.hands.taken -= {one.event_id for one in outcomes}

    @rule()
    def settle_under_a_lost_generation(self) -> None:
        assert self.run(self.worker.settle(0, self.hands.outcomes, generation=self.generation - 1)) == -1

    @rule(lane=LANE, cap=st.integers(1, 4), circuit=st.integers(0, 4))
    def limit(self, lane: str, cap: int, circuit: int) -> None:
        opened = circuit == 0
        limits = [LaneSetting(lane, "cap", cap), LaneSetting(lane, "circuit", 2e12 if opened else None)]
        assert self.run(self.worker.settle(0, [], limits)) == 0
        self.model.lanes[lane].cap, self.model.lanes[lane].circuit_open = cap, opened

    @rule()
    def recount(self) -> None:
        assert self.run(self.store.repair_lanes([0])) == {}

    @rule()
    def come_back(self) -> None:
        assert self.run(self.store.own(0, self.generation, self.worker.name, self.hands.claim_ids))
        known = set(self.hands.claim_ids)
        for event_id, one in self.model.events.items():
            if one.place == "flight" and (event_id, one.attempts + 1) not in known:
                self.model.given_back(one)
        self.unsure = False

    @rule()
    def another_worker_takes_over(self) -> None:
        """The last one was killed: whatever it had in hand may have been sent."""
        self.ask(self.redis.hset("{p0}:own", mapping={"until": 0, "granted": 0}))
        self._own_anew()
        for known in self.model.in_place("flight"):
            known.attempts += 1
            self.model.given_back(known)

    @rule()
    def rest_and_return(self) -> None:
        assert self.run(self.store.rest(0, self.generation))
        for known in self.model.in_place("flight"):
            self.model.given_back(known)
        self._own_anew()

    @property
    def generation(self) -> int:
        return self.worker.generations[0]

    def _own_anew(self) -> None:
        self.owner += 1
        self.worker.name = f"w{self.owner}"
        self.run(self.worker.own(0))
        self.hands, self.unsure = Hands(), False
        for limits in self.model.lanes.values():
            limits.cap = FIRST_CAP  # what the owner before had learnt goes with it

    def _claim(self, at_most: int) -> Claim:
        """As many heads as the caps allow, before anything follows one."""
        room = {lane: self.model.room(lane) for lane in LANES}
        claim = self.run(self.worker.claim(0, at_most))
        assert len(claim.events) == min(at_most, sum(room.values()))
        sure, unsure = self._may_follow(claim)
        for head in claim.events:
            room[head.event.integration_id] -= 1
            self._fly(head, "due")
        assert min(room.values()) >= 0
        places, followed = at_most - len(claim.events), 0
        for head in claim.events:
            followers = _followers(claim, head).events
            followed += len(followers)
            self._assert_next(head, followers)
        assert min(places, sure) <= followed <= min(places, sure + unsure)
        return claim

    def _may_follow(self, claim: Claim) -> tuple[int, int]:
        """Events that may follow what was claimed, and more where nobody knows if the host has answered since a 410."""
        sure = unsure = 0
        for head in claim.events:
            lane = self.model.lanes[head.event.integration_id]
            behind = 0
            for event_id in self.model.waiting(self.model.events[head.event.id])[1:MOST]:
                if self.model.events[event_id].attempts or head.n > 1 or lane.suspended:
                    break
                behind += 1
            if lane.was_suspended:
                unsure += behind
            else:
                sure += behind
        return sure, unsure

    def _assert_next(self, head: Claimed, followers: list[Claimed]) -> None:
        """They are those that come next in the list, each for the first time."""
        known = self.model.events[head.event.id]
        ids = [one.event.id for one in (head, *followers)]
        assert not followers or self.model.waiting(known)[: len(ids)] == ids
        for one in followers:
            self._fly(one, "behind")
        for event_id in ids[:-1]:
            self.model.events[event_id].followed = True

    def _fly(self, claimed: Claimed, place: str) -> None:
        known = self.model.events[claimed.event.id]
        assert known.place == place
        assert claimed.n == known.attempts + 1
        known.place, known.followed = "flight", False

    def _judge(self, sent: Claimed) -> None:
        """Events before it have ended, or were taken. A hand may have ended it within the time of its run."""
        waiting = self.model.waiting(self.model.events[sent.event.id])
        if sent.event.id in waiting and self._counts(sent):
            before = waiting[: waiting.index(sent.event.id)]
            assert set(before) <= self.hands.taken, "sent before its turn"

    def _settled(self, outcome: Settlement) -> bool:
        counts = self._counts(outcome.claimed)
        if counts:
            self.model.settled(self.model.events[outcome.event_id], outcome.to, outcome.delay_ms)
        return counts

    def _counts(self, claimed: Claimed) -> bool:
        """True for the claim that the store knows of, not one of before the event was concluded."""
        known: Tracked = self.model.events[claimed.event.id]
        return known.place == "flight" and claimed.n == known.attempts + 1


def _followers(claim: Claim, head: Claimed) -> Followers:
    return claim.followers.get(head.claim_id, Followers())


def _outcome(claimed: Claimed, to: Status | Move, delay_ms: int) -> Settlement:
    attempt = None if isinstance(to, Move) else Attempt(claimed.n, 1, 1.0, URL, Outcome.OK)
    return Settlement(claimed, to, delay_ms, attempt)
