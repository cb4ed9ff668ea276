"""What a workflow comes to, worked out the slow and obvious way.

It shares no code and no types with ``studio.core``. Everything is looked at again after every step; nothing is
kept that could be worked out anew, except the order in which nodes came up to be looked at.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

OPEN, YES, NO, BROKEN = "open", "taken", "dead", "broken"


@dataclass
class Arrow:
    """One edge: ``condition`` is true, false, or None for one that cannot be evaluated."""

    source: str
    target: str
    on: str = "success"
    port: str | None = None
    condition: bool | None = True
    handles: bool = True


@dataclass
class Box:
    """One node; ``when`` as the condition of an arrow."""

    name: str
    join: str = "all"
    when: bool | None = True
    critical: bool = True


@dataclass
class Paper:
    """A workflow and what has become of it so far.

    Args:
        boxes: nodes, every one after those it follows.
        arrows: edges, in the order in which the targets name them.
        policy: ``hold``, ``fail`` or ``continue``.
    """

    boxes: list[Box]
    arrows: list[Arrow]
    policy: str
    state: dict[str, str] = field(default_factory=dict)
    fate: dict[str, str] = field(default_factory=dict)
    """What has become of a failure: held, handling, handled, tolerated, continued, failed, ignored."""
    port: dict[str, str] = field(default_factory=dict)
    sealed: set[str] = field(default_factory=set)
    """Failed nodes whose arrows are still open, because a person is to decide."""
    by_hand: set[str] = field(default_factory=set)
    declined: set[str] = field(default_factory=set)
    """Nodes skipped by their own condition: decided once, unless what they follow runs again."""
    queue: deque[str] = field(default_factory=deque)
    failing: bool = False
    spared: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Start the run."""
        for box in self.boxes:
            self.state[box.name] = "idle"
            self.queue.append(box.name)
        self.settle()

    # ------------------------------------------------------------------ looking

    def box(self, name: str) -> Box:
        return next(box for box in self.boxes if box.name == name)

    def into(self, name: str) -> list[Arrow]:
        return [arrow for arrow in self.arrows if arrow.target == name]

    def out_of(self, name: str) -> list[Arrow]:
        """In the order in which the targets stand in the file."""
        place = [box.name for box in self.boxes]
        found = [arrow for arrow in self.arrows if arrow.source == name]
        return sorted(found, key=lambda arrow: place.index(arrow.target))

    def arrow(self, arrow: Arrow) -> str:
        """What an edge has come to."""
        state = self.state[arrow.source]
        if state in ("idle", "ready", "running") or arrow.source in self.sealed:
            return OPEN
        if state in ("skipped", "cancelled"):
            return NO
        outcome = "success" if state == "succeeded" else "failure"
        port = self.port.get(arrow.source, "") if state == "succeeded" else ""
        if arrow.on not in ("any", outcome) or arrow.port not in (None, port):
            return NO
        if arrow.condition is None:
            return BROKEN
        return YES if arrow.condition else NO

    def verdict(self, name: str) -> str:
        """What the join of a node says, broken edges included."""
        found = [self.arrow(arrow) for arrow in self.into(name)]
        plain = self.plain_verdict(name, found)
        if plain == "wait" or BROKEN not in found:
            return plain
        return "skip" if self.box(name).join == "all" and NO in found else "fail"

    def plain_verdict(self, name: str, found: list[str]) -> str:
        if not found:
            return "go"
        taken, dead = found.count(YES), found.count(NO) + found.count(BROKEN)
        join = self.box(name).join
        if join == "all":
            return "skip" if dead else "go" if taken == len(found) else "wait"
        if join == "first" and taken:
            return "go"
        if OPEN in found:
            return "wait"
        return "go" if taken or join == "settled" else "skip"

    def done(self, name: str) -> bool:
        """Whether a node needs nothing any more."""
        state = self.state[name]
        if state == "failed":
            return self.fate[name] not in ("held", "handling")
        return state in ("succeeded", "skipped", "cancelled")

    def after(self, names: set[str]) -> set[str]:
        found: set[str] = set()
        more = set(names)
        while more:
            more = {arrow.target for arrow in self.arrows if arrow.source in more} - found
            found |= more
        return found

    def running(self) -> list[str]:
        return [box.name for box in self.boxes if self.state[box.name] == "running"]

    def phase(self) -> str:
        """What the run shows."""
        if self.running():
            return "running"
        if not all(self.done(box.name) for box in self.boxes):
            return "attention"
        failed = any(fate in ("failed", "continued") for fate in self.fate.values())
        return "failed" if failed else "succeeded"

    # ------------------------------------------------------------------ going on

    def finish(self, name: str, ok: bool, port: str = "") -> None:
        """The node that runs has ended."""
        if ok:
            self.state[name] = "succeeded"
            self.port[name] = port
            self.tell(name)
        else:
            self.fail(name)
        self.settle()

    def tell(self, name: str) -> None:
        """Those behind a node are to be looked at; so are the failures it was to handle."""
        for arrow in self.out_of(name):
            self.queue.append(arrow.target)

    def fail(self, name: str) -> None:
        self.state[name] = "failed"
        self.give(name, self.judge(name, may_handle=True))

    def judge(self, name: str, may_handle: bool) -> str:
        handlers = [
            arrow
            for arrow in self.out_of(name)
            if arrow.on == "failure"
            and arrow.handles
            and arrow.condition is True
            and arrow.port is None
            and not self.done(arrow.target)
        ]
        if may_handle and handlers:
            return "handling"
        if not self.box(name).critical:
            return "tolerated"
        if self.failing or self.policy == "fail":
            return "failed"
        return "held" if self.policy == "hold" else "continued"

    def give(self, name: str, fate: str) -> None:
        """Decide what becomes of a failure, with all that follows for the run."""
        was = self.fate.get(name)
        self.fate[name] = fate
        if fate == "held" and was is None:
            self.sealed.add(name)
        elif was is None or name in self.sealed:
            self.sealed.discard(name)
            self.tell(name)
        if fate == "failed" and not self.failing:
            self.fall(name)

    def fall(self, name: str) -> None:
        """The run fails: what has not started is cancelled, but for what its author meant for that case."""
        self.failing = True
        origins = {box.name for box in self.boxes if self.state[box.name] in ("running", "failed")}
        origins.add(name)
        meant = {
            arrow.target
            for arrow in self.arrows
            if arrow.source in origins and arrow.on in ("failure", "any")
        }
        meant |= {other for other in self.after(origins) if self.box(other).join == "settled"}
        self.spared = meant | self.after(meant)
        idle = [box.name for box in self.boxes if self.state[box.name] in ("idle", "ready")]
        given_up = [other for other in self.fate if self.fate[other] == "held"]
        for other in idle:
            if other not in self.spared:
                self.state[other] = "cancelled"
                self.tell(other)
        for other in given_up:
            if other not in self.spared:
                self.give(other, self.judge(other, may_handle=True))

    def settle(self) -> None:
        """Look at everything that came up, until nothing does; then start what may start."""
        while True:
            if (handled := self.handled()) is not None:
                self.give(*handled)
            elif self.queue:
                self.look(self.queue.popleft())
            else:
                break
        for box in self.boxes:
            if self.state[box.name] == "ready":
                self.state[box.name] = "running"

    def handled(self) -> tuple[str, str] | None:
        """A failure left to handlers about which they have now decided."""
        for name, fate in self.fate.items():
            if fate != "handling":
                continue
            mine = [a for a in self.out_of(name) if a.on == "failure" and a.handles]
            mine = [arrow for arrow in mine if self.arrow(arrow) == YES]
            if any(self.state[arrow.target] == "succeeded" for arrow in mine):
                return name, "handled"
            if all(self.done(arrow.target) for arrow in mine):
                return name, self.judge(name, may_handle=False)
        return None

    def look(self, name: str) -> None:
        if self.state[name] != "idle":
            return
        verdict = self.verdict(name)
        if verdict == "wait":
            return
        if verdict == "fail":
            self.fail(name)
        elif verdict == "skip":
            self.state[name] = "skipped"
            self.declined.discard(name)
            self.tell(name)
        elif self.failing and name not in self.spared:
            self.state[name] = "cancelled"
            self.tell(name)
        elif self.box(name).when is None:
            self.fail(name)
        elif not self.box(name).when:
            self.state[name] = "skipped"
            self.declined.add(name)
            self.tell(name)
        else:
            self.state[name] = "ready"

    # ------------------------------------------------------------------ by hand

    def mark(self, name: str, outcome: str) -> None:
        """A person sets the outcome of a node that does not run and has not succeeded."""
        if outcome == "failed":
            was = self.fate[name]
            fate = self.judge(name, may_handle=was != "handling")
            self.give(name, "failed" if fate == "held" else fate)
            self.settle()
            return
        if self.failing or self.phase() in ("succeeded", "failed"):
            self.reopen()
        if outcome == "ignored":
            self.give(name, "ignored")
        else:
            self.state[name] = outcome
            self.fate.pop(name, None)
            self.sealed.discard(name)
            self.port[name] = ""
            self.by_hand.add(name)
            self.tell(name)
        self.again()
        self.settle()

    def retry(self, name: str) -> None:
        """A failed node runs once more."""
        if self.failing or self.phase() in ("succeeded", "failed"):
            self.reopen()
        # Opened again, the run may let something run first that the node follows.
        waits = self.verdict(name) != "go"
        self.state[name] = "idle" if waits else "ready"
        if waits:
            self.queue.append(name)
        self.fate.pop(name, None)
        self.sealed.discard(name)
        self.again()
        self.settle()

    def reopen(self) -> None:
        """A run that had ended, or was failing, goes on: what comes back is looked at in the order of the file."""
        self.failing = False
        self.spared = set()
        for box in self.boxes:
            if self.state[box.name] == "cancelled":
                self.state[box.name] = "idle"
                self.queue.append(box.name)
        self.again()
        place = [box.name for box in self.boxes]
        self.queue = deque(sorted(self.queue, key=place.index))

    def again(self) -> None:
        """What the run itself had skipped is worked out anew."""
        for box in self.boxes:
            by_itself = self.state[box.name] == "skipped" and box.name not in self.by_hand
            verdict = self.verdict(box.name)
            declined = box.name in self.declined
            if by_itself and (verdict == "wait" if declined else verdict != "skip"):
                self.state[box.name] = "idle"
                self.queue.append(box.name)
