"""A wall and what stands behind it in, a lab that commands are tried in out: each with its flows, between two canaries."""

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Literal, Self

import msgspec

from crenel.atlas.vantage import Vantage
from crenel.errors import LabError, UsageError
from crenel.net.lab.canary import Sung, sing
from crenel.net.lab.command import Completed, Streams
from crenel.net.lab.flows import Endpoint, LabFlow, Setting, follow_flows
from crenel.net.lab.internet.authority import make_authority
from crenel.net.lab.internet.caddy import find_caddy
from crenel.net.lab.internet.internet import Internet
from crenel.net.lab.internet.scenario import Listen, Scenario
from crenel.net.lab.internet.setup import missing_networks, set_up
from crenel.net.lab.lab import Lab
from crenel.net.lab.outcome import Outcome
from crenel.net.lab.pace import Pace
from crenel.net.lab.plan import Layout, Plan
from crenel.net.lab.server import Server
from crenel.wall.wall import Wall

Word = str | int | os.PathLike[str]
Words = Word | Sequence[Word]
"""A command, or a part of one: a lone line is split as a shell would, else this is the program and its arguments."""
_SHOWN = 80
"""Characters of a command in an error."""


class Stage:
    """A lab with a small internet on its far side. Every run starts and ends with a canary; memory stays from one run to the next.

    Args:
        wall: what stands between.
        vantage: where the client stands: a shipped vantage or a file; None: the wall's own.
        pace: whether the delays of path and wall are spent.
        tolerate: a flow is at risk where its chance is above this.
        scenario: what the internet has beside what it always has.
    """

    def __init__(
        self, wall: Wall, vantage: Vantage | str | None = None, *, pace: Pace = Pace.REAL, tolerate: float = 0.0, scenario: Scenario | None = None
    ) -> None:
        self._scenario = scenario if scenario is not None else Scenario()
        self._authority = make_authority()
        layout = Layout()
        layout = msgspec.structs.replace(layout, served=(*layout.served, *missing_networks(self._scenario, layout.served)))
        self.lab = Lab(wall, vantage, pace=pace, plan=Plan(layout=layout, trust=self._authority.certificate))
        self.wall = wall
        self.tolerate = tolerate
        self.outcomes: list[Outcome] = []
        """Those of all commands so far."""
        self._internet: Internet | None = None
        self._servers: list[Server] = []
        self._canaries: set[Endpoint] = set()

    def __enter__(self) -> Self:
        """Make the lab. Raises LabError."""
        self.lab.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None) -> None:
        """Take it down."""
        self.close()

    def close(self) -> None:
        """End everything in the lab and take it down. May be called again."""
        if self._internet is not None:
            self._internet.close()
        self.lab.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What this machine could not give the lab, in sentences."""
        return (*self.lab.notes, *(self._internet.notes if self._internet is not None else ()))

    def serve(
        self, *command: Words, port: int | None = None, transport: Literal["tcp", "udp"] = "tcp", within: float = 10.0,
        env: Mapping[str, str] | None = None, cwd: str | os.PathLike[str] | None = None,
    ) -> Server:
        """Start a server program on the far side, and return once it listens. It may listen on any address of the lab's internet.

        Args:
            command: a command line, or the program and its arguments.
            port: where it will listen; None: wherever nobody listened before. What else listens there makes room where a port is named.
            transport: on which transport.
            within: seconds that it may take to come up.
            env: variables in addition to this process's own.
            cwd: the folder that it starts in; None: this process's own.

        Raises:
            LabError: there is no such program, it ended, or it does not listen in time; the message ends with what it printed.
            UsageError: the command line is none.
        """
        argv = words_of(*command)
        if self._internet is not None and port is not None:
            self._internet.release(transport, port)
        server = self.lab.serve(argv, port="any" if port is None else port, transport=transport, within=within, env=env, cwd=cwd)
        self._servers.append(server)
        return server

    def run(
        self, *command: Words, timeout: float | None = 60.0, stdin: bytes = b"", env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> Outcome:
        """Run a command as the client, and return what it printed, how it ended, and what the wall did to its flows.

        Args:
            command: a command line, or the program and its arguments.
            timeout: seconds after which it is ended, with all that it started; None: never.
            stdin: what it reads.
            env: variables in addition to this process's own.
            cwd: the folder that it starts in; None: this process's own.

        Raises:
            LabError: there is no such program, the lab does not work, or it ended first.
            UsageError: the command line is none.
        """
        argv = words_of(*command)
        return self._tried(argv, lambda: self.lab.run(argv, timeout=timeout, stdin=stdin, env=env, cwd=cwd))

    def attach(self, argv: Sequence[str], *, timeout: float | None = None, streams: Streams = (0, 1, 2)) -> Outcome:
        """Run a command as the client on streams of this process; the arguments and what is raised are those of `Lab.attach`."""
        return self._tried(tuple(argv), lambda: Completed(b"", b"", self.lab.attach(argv, timeout=timeout, streams=streams)))

    def _tried(self, argv: tuple[str, ...], work: Callable[[], Completed]) -> Outcome:
        fresh = self._prepare()
        lost = self._sing("before", argv)
        if fresh is not None:
            fresh.come_up()  # it had the time in which the canary flew
        if lost is not None:
            raise LabError(lost)
        began = self.lab.now - self.lab.start
        done = work()
        lost = self._sing("after", argv)
        problems = [*([lost] if lost is not None else []), *self._dead()]
        flows = tuple(flow for flow in self._flows() if flow.began >= began)
        flows = tuple(msgspec.structs.replace(flow, number=number) for number, flow in enumerate(flows, 1))
        outcome = Outcome(argv, done.status, done.stdout, done.stderr, flows, tuple(problems), self.lab.counts.untold)
        self.outcomes.append(outcome)
        return outcome

    def _prepare(self) -> Internet | None:
        """Start the internet, which leaves alone the ports where somebody listens; return it where it still has to come up."""
        if self._internet is not None:
            return None
        layout = self.lab.plan.layout
        claims = tuple(Listen("udp" if transport == "udp" else "tcp", None, port) for transport, port in sorted(self.lab.listeners("server")))
        setup = set_up(
            self._authority.certificate, self._authority.key, self._scenario, addresses=(layout.resolver, *layout.server), caddy=find_caddy()
        )
        self._internet = Internet(
            lambda argv, streams: self.lab.spawn("server", argv, streams), msgspec.structs.replace(setup, claims=setup.claims + claims)
        )
        return self._internet

    def _sing(self, when: str, argv: Sequence[str]) -> str | None:
        """Return a sentence where a canary does not come back although no box had to do with that."""
        sung = sing(self.lab)
        self._canaries.add(sung.endpoint)
        if sung.alive or self._acted_on(sung):
            return None
        what = "nothing can be judged" if when == "before" else "what is said of its flows cannot be relied on"
        return f"the canary {when} {shlex.join(argv)[:_SHOWN]} did not come back, and no box acted on it: the lab is broken, so {what}"

    def _acted_on(self, sung: Sung) -> bool:
        others = self._canaries - {sung.endpoint}
        return any(flow.exchange.middlebox is not None for flow in self._flows(others) if flow.exchange.trace[0].packet.sport == sung.endpoint[1])

    def _flows(self, without: set[Endpoint] | None = None) -> list[LabFlow]:
        setting = Setting(self.wall, self.lab.start, self.lab.route.client_side, self.tolerate)
        return follow_flows(self.lab.trace, self.lab.effects, setting, self._canaries if without is None else without)

    def _dead(self) -> Sequence[str]:
        """Return a sentence for each server that ended by itself."""
        found = []
        for server in self._servers:
            status = server.status
            if status is not None and not server.stopped:
                found.append(f"the server {server.argv[0]} ended with status {status}{server.last_words()}")
        if self._internet is not None:
            try:
                found += self._internet.problems()
            except LabError as problem:
                found.append(str(problem))
        return found


def words_of(*command: Words) -> tuple[str, ...]:
    """Return a command as the program and its arguments. Raises UsageError where it is none."""
    words: list[str] = []
    for part in command:
        if isinstance(part, str | int | os.PathLike):
            words.append(str(part))
        else:
            words += map(str, part)
    if len(command) == 1 and isinstance(command[0], str):
        try:
            words = shlex.split(words[0])
        except ValueError as problem:
            raise UsageError(f"{words[0][:_SHOWN]!r} is no command: {problem}") from None
    if not words or not words[0]:
        raise UsageError("a command is missing")
    return tuple(words)
