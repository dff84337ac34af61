"""Random tries, waits, power cuts and set clocks: the rule of waits holds whatever the order."""

import asyncio
import hashlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from firmware import pins
from firmware.saved import Saved

RIGHT, SALT, ROUNDS = "135790", bytes(16), 350
DIGEST = hashlib.pbkdf2_hmac("sha256", RIGHT.encode(), SALT, ROUNDS)
TABLE = {role: [SALT, ROUNDS, DIGEST] for role in pins.ROLES}
WAITS = [0, 0, 0, 30, 60, 120, 240, 480, 900]  # after so many wrong tries, then always the last
roles = st.sampled_from(pins.ROLES)


class Cut(BaseException):
    """The power went."""


class CutFlash(Saved):
    """Saved on a real file; the power goes before or after its next write when told so."""

    cut: str | None = None

    def store(self, value):
        if self.cut == "before the write":
            raise Cut
        super().store(value)
        if self.cut == "after the write":
            raise Cut


class Tries(RuleBasedStateMachine):
    """`seen`: wrong answers that somebody may have learnt since the last right one, by role."""

    @initialize()
    def begin(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = str(Path(self.folder.name) / "pin-tries")
        self.ms = 10_000
        self.seen = dict.fromkeys(pins.ROLES, 0)
        self.since = dict.fromkeys(pins.ROLES, self.ms)
        self.boot()

    def boot(self):
        self.flash = CutFlash(self.path)
        self.kit = pins.Pins(TABLE, self.flash, lambda: self.ms)
        self.since = dict.fromkeys(pins.ROLES, self.ms)

    def due(self, role):
        """Seconds that the rule demands at least from this role's last answer or the last start."""
        return WAITS[min(self.seen[role], len(WAITS) - 1)]

    @rule(seconds=st.one_of(st.integers(0, 1000), st.sampled_from([29, 30, 59, 60, 899, 900])))
    def time_passes(self, seconds):
        self.ms += seconds * 1000

    @rule(role=roles, pin=st.sampled_from([RIGHT, "000000", "135791", "035790"]))
    def tries(self, role, pin):
        passed = (self.ms - self.since[role]) / 1000
        allowed = self.kit.wait(role) == 0
        assert not allowed or passed >= self.due(role)
        answer = asyncio.run(self.kit.check(role, pin))
        assert answer == (allowed and pin == RIGHT)
        if allowed:
            self.seen[role] = 0 if answer else self.seen[role] + 1
            self.since[role] = self.ms

    @rule(
        role=roles,
        pin=st.sampled_from([RIGHT, "000000"]),
        cut=st.sampled_from(["before the write", "after the write", "while it is stretched"]),
    )
    def power_is_cut_during_a_try(self, role, pin, cut):
        before = self.kit.wait(role)
        trying = self.kit.check(role, pin)
        self.flash.cut = cut
        try:
            trying.send(None)
        except (Cut, StopIteration) as end:
            assert isinstance(end, Cut) or before > 0
        trying.close()
        if before == 0 and cut != "before the write":
            self.seen[role] += 1
        self.boot()

    @rule(role=roles)
    def power_is_cut_as_the_right_pin_lets_in(self, role):
        if self.kit.wait(role):
            return
        trying = self.kit.check(role, RIGHT)
        trying.send(None)
        self.flash.cut = "before the write"
        try:
            while True:
                trying.send(None)
        except Cut:
            self.seen[role] += 1
        self.boot()

    @rule()
    def power_is_cut_at_rest(self):
        self.boot()

    @precondition(lambda self: self.ms > 5_000_000)
    @rule()
    def ticks_go_round(self):
        self.ms -= 5_000_000
        for role in pins.ROLES:
            assert self.kit.wait(role) <= 900
        self.since = dict.fromkeys(pins.ROLES, self.ms)

    @invariant()
    def the_count_is_never_less_than_what_was_tried(self):
        for role in pins.ROLES:
            assert self.kit.tries[role] >= self.seen[role]
            assert Saved(self.path).load({}).get(role, 0) >= self.seen[role]

    @invariant()
    def nobody_waits_for_ever(self):
        assert all(self.kit.wait(role) <= 900 for role in pins.ROLES)

    @invariant()
    def no_wait_is_shorter_than_its_rule(self):
        for role in pins.ROLES:
            passed = (self.ms - self.since[role]) / 1000
            assert self.kit.wait(role) >= self.due(role) - passed

    def teardown(self):
        self.folder.cleanup()


TestTries = Tries.TestCase
TestTries.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
