"""A case in, what a real program met with and what ground the wall had out: a lab for each way in which the coins may fall."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
import pytest

from crenel.atlas.compile import About, load_wall
from crenel.coins import Coins, ScriptedCoins
from crenel.net.lab.lab import Lab
from crenel.net.lab.outcome import Outcome
from crenel.net.lab.pace import Pace
from crenel.net.lab.stage import Stage
from crenel.net.odds import any_of
from crenel.net.replay.check import check_capture
from crenel.net.trace import FlowReport, trace_capture
from crenel.wall.effects import Drop, Inject
from crenel.wall.wall import Wall
from crenel.wire.packet import RST, TCP
from tests.net.lab.machine import descendants, wait_until_gone

_NEAR = Path(__file__).with_name("near.py")
ADDRESS = "203.0.113.80"
"""Where the far side's pages are, under any name."""
RESOLVER = "203.0.113.53"
NAMES = ("blocked.example", "allowed.example", "mozilla.cloudflare-dns.com")
"""What programs ask for: a name on every list, one on none, one on that for QUIC alone."""

_FILES = {
    "/etc/hosts": f"127.0.0.1 localhost\n{ADDRESS} {' '.join(NAMES)}\n",
    "/etc/shadow": "root:*:19000:0:99999:7:::\n",  # a server of SSH lets nobody in whose account is locked
}
"""Programs find the names by themselves, so that nobody asks the resolver, whose answers would be forged."""
_CLIENT = ("192.0.2.0/24", "2001:db8:c::/48")
"""Whoever stands behind the wall."""

Met = Literal["passes", "reset", "silence", "forged", "falls back"]
"""What a program met with: all went well, it was reset, nothing came back any more, it was lied to, it went on by another way."""


class Program(NamedTuple):
    """One that is ready before another one starts."""

    argv: Sequence[str]
    port: int = 0
    """Where it listens when it is ready; 0: it says so."""
    transport: str = "tcp"
    says: str = ""
    """The pattern of what it prints when it is ready; its named groups may stand in braces in the arguments of the last program."""
    env: Mapping[str, str] = {}


class Scene(Stage):
    """A lab with an internet, a folder of its own, and coins that fall as told; names stand in the client's hosts file, so nobody asks for them."""

    def __init__(self, wall: Wall, coins: Coins, folder: Path) -> None:
        super().__init__(wall, pace=Pace.STILL)
        self.lab = Lab(wall, coins=coins, pace=Pace.STILL, plan=msgspec.structs.replace(self.lab.plan, files=_FILES))
        self.folder = folder
        self.pin = self._authority.pin

    def start(
        self, argv: Sequence[str], *, port: int, transport: Literal["tcp", "udp"] = "tcp", env: Mapping[str, str] | None = None
    ) -> None:
        """Start a server on the far side and return once it listens."""
        self.serve(argv, port=port, transport=transport, env=env, cwd=self.folder)

    def act(self, argv: Sequence[str], *, after: Sequence[Program] = (), timeout: float = 30.0) -> Outcome:
        """Run a program on the near side, after others that it needs, and return what came of it."""
        if after:
            plan = {"folder": str(self.folder), "start": [program._asdict() for program in after], "run": list(argv)}
            argv = [sys.executable, "-I", "-S", str(_NEAR), json.dumps(plan)]
        outcome = self.run(argv, timeout=timeout, cwd=self.folder, env={"HOME": str(self.folder)})
        assert not outcome.problems, outcome.problems
        return outcome

    def was_reset(self) -> bool:
        """Say whether a reset has come to the client."""
        arrived = (event.packet for event in self.lab.trace if event.what == "arrived" and event.where == "client")
        return any(packet.proto == TCP and packet.flags & RST for packet in arrived)


def words(outcome: Outcome) -> str:
    """Return what a program said on both of its streams."""
    return (outcome.stdout + outcome.stderr).decode("utf-8", "replace")


def page(host: str, version: str = "1.1") -> str:
    """Return the sentence that a page has for a host, by a version of HTTP."""
    return f"This is {host} in a lab, over HTTP/{version}."


class Case(NamedTuple):
    """A real program that does one thing on one date, and what is documented to come of it."""

    peer: str
    does: str
    as_of: str
    play: Callable[[Scene], str]
    """Let the program do it and return what it met with, or in other words what went wrong."""
    met: Met
    """What it meets with where every coin falls to act; where every coin falls to miss, and some can, it passes."""
    boxes: Mapping[str, float] = {}
    """The boxes that have ground to act on one of its flows, each with its probability, as published for that date."""
    programs: tuple[str, ...] = ()
    """What must be on the PATH."""
    libraries: tuple[str, ...] = ()
    """What must be importable."""
    package: str = ""
    """The Debian package or the distribution of Python whose version is told."""
    root: bool = False
    """Does it need more than a user may?"""

    @property
    def chance(self) -> float:
        """The probability that any of its boxes acts."""
        return any_of(self.boxes.values())

    @property
    def missed(self) -> Met:
        """What it meets with where every coin falls to miss."""
        return self.met if 1.0 in self.boxes.values() else "passes"

    @property
    def name(self) -> str:
        """What the test is called."""
        return "-".join((*self.peer.split(), *self.does.split(), self.as_of)).replace("/", "")

    def row(self) -> dict[str, str]:
        """Return what the table shows before it was tried."""
        return {"peer": self.peer, "does": self.does, "as of": self.as_of, "documented": f"{self.met}, {self.chance:.4g}" if self.boxes else self.met}


def cases(*listed: Case) -> pytest.MarkDecorator:
    """Return the mark by which a test tries each of some cases."""
    return pytest.mark.parametrize("case", [pytest.param(case, marks=pytest.mark.peer(*case.programs), id=case.name) for case in listed])


def try_case(case: Case, folder: Path, row: dict[str, str]) -> None:
    """Play a case twice and fail unless program and wall do what is documented; `row` is told what happened."""
    for fall, expected in (("act", case.met), ("miss", case.missed)):
        own = folder / fall
        own.mkdir()
        met, scene = _play(case, own, fall)
        row[fall] = met
        reports = judge(scene.lab, own)
        chance = max((report.chance for report in reports), default=0.0)
        row["chance"] = f"{chance:.4g}"
        ground = {trigger.middlebox: trigger.chance for report in reports for trigger in report.triggers}
        acted = {told.effect.because.middlebox for told in scene.lab.effects if isinstance(told.effect, Inject | Drop)}
        shown = f"met with {met}; {case.peer}, {case.does}, {case.as_of}, coins fall to {fall}; {sorted(acted) or 'nobody'} acted, ground: {ground}"
        assert met == expected, shown
        assert ground == pytest.approx(dict(case.boxes), abs=1e-9), shown
        assert chance == pytest.approx(case.chance, abs=1e-9), shown
        # The lab itself says the same of each flow as a replay of its packets does.
        told = [flow.exchange.chance for outcome in scene.outcomes for flow in outcome.flows]
        assert max(told, default=0.0) == pytest.approx(case.chance, abs=1e-9), shown
        # A program that was harmed needs a cause among what the wall did, and one that was not may have none.
        assert bool(acted) == (expected != "passes"), shown
        assert acted <= set(case.boxes), shown


def _play(case: Case, folder: Path, fall: str) -> tuple[str, Scene]:
    wall = load_wall("gfw", as_of=case.as_of)
    before = descendants(os.getpid())
    with Scene(wall, ScriptedCoins(otherwise=fall == "act"), folder) as scene:
        met = case.play(scene)
        inside = descendants(os.getpid())
    left = wait_until_gone({number: began for number, began in inside.items() if before.get(number) != began})
    assert not left, f"programs of the lab go on after it: {left}"
    return met, scene


def judge(lab: Lab, folder: Path) -> list[FlowReport]:
    """Return how `crenel check` judges the packets of both ends as they came to the wall."""
    about = lab.wall.about
    assert isinstance(about, About)
    # What the wall itself made is not among them, and what it withheld is.
    there = (event for event in lab.trace if event.where == lab.wall.name and event.what in {"passed", "dropped"})
    seen = [event for event in there if event.sender in {"client", "server"}]
    path = folder / "wall.pcapng"
    path.write_bytes(b"".join(trace_capture(seen, about.noon)))
    return check_capture(os.fspath(path), lab.wall, inside=_CLIENT).flows
