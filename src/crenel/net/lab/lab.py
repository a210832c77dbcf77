"""A wall and a vantage in, a network of two machines out, on which real programs run with the wall between them."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from crenel.atlas.compile import About
from crenel.atlas.load import load_vantage
from crenel.atlas.vantage import Vantage
from crenel.coins import Coins, KeyedCoins
from crenel.errors import LabError, UsageError
from crenel.instant import Instant
from crenel.net.lab.command import Command, Completed, Streams, communicate, lent_terminal
from crenel.net.lab.namespaces import Namespaces
from crenel.net.lab.pace import Pace
from crenel.net.lab.plan import Plan, environment
from crenel.net.lab.relay import Relay
from crenel.net.lab.server import Server
from crenel.net.lab.tally import Counts
from crenel.net.lab.turns import Turns
from crenel.net.path.path import End
from crenel.net.path.route import Route, route_of
from crenel.net.trace import Event, WallEffect
from crenel.wall.wall import Wall


class Lab:
    """Two machines with a wall between them, made of nothing but namespaces of this kernel, and gone when it is closed.

    Nothing leads out of it: packets go from one TUN device to the other, through this process. Programs see the files of this
    machine, but for the resolver, the hosts and the trust store, which are the lab's own, and the sockets of services under /run,
    which are hidden. (A service that listens at a socket elsewhere among the files can still be asked.)

    Args:
        wall: what stands between.
        vantage: where the client stands: a shipped vantage, a file or one that was loaded; None: the wall's own.
        route: the way between, in place of the vantage's.
        coins: decide what the path and the walls do; None: those of the wall's seed, by the turn in which flows come.
        pace: whether the delays of path and walls are spent, or nothing takes time.
        start: what the walls' clocks show at first, in nanoseconds since 1970; None: the hour for which the wall was loaded, or noon.
        plan: addresses, files, certificates.

    Raises:
        LabError: this machine or this user cannot make namespaces or TUN devices.
        ProfileError: there is no such vantage.
        UsageError: the plan names what is no address.
    """

    def __init__(
        self, wall: Wall, vantage: Vantage | str | None = None, *, route: Route | None = None, coins: Coins | None = None,
        pace: Pace = Pace.REAL, start: Instant | None = None, plan: Plan | None = None,
    ) -> None:
        about = wall.about if isinstance(wall.about, About) else None
        self.wall = wall
        self.route = route if route is not None else route_of(_vantage(vantage, about), wall)
        self.pace = pace
        self.plan = plan if plan is not None else Plan()
        self.plan.layout.check()
        self._coins = coins if coins is not None else Turns(KeyedCoins(about.seed if about is not None else 0))
        self._start = start if start is not None else Instant(about.noon if about is not None else time.time_ns())
        self._namespaces: Namespaces | None = None
        self._relay: Relay | None = None
        self._servers: list[Server] = []

    def __enter__(self) -> Self:
        """Make the lab."""
        self.open()
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, traceback: TracebackType | None) -> None:
        """Take it down."""
        self.close()

    def open(self) -> None:
        """Make the namespaces, and begin to carry packets. Raises LabError; then nothing is left behind."""
        self._namespaces = namespaces = Namespaces(self.plan)
        try:
            self._relay = Relay(namespaces.tuns, self.route, self._coins, self._start, self.pace, namespaces.abandon)
            self._relay.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End every program in the lab and take it down; the trace stays. May be called again."""
        if self._relay is not None:
            self._relay.stop()
        if self._namespaces is not None:
            self._namespaces.close()
            self._namespaces = None
        for server in self._servers:
            server.close()

    @property
    def start(self) -> Instant:
        """What the walls' clocks showed at time 0 of the trace."""
        return self._start

    @property
    def now(self) -> Instant:
        """What the walls' clocks show."""
        return self._carrier().now()

    @property
    def notes(self) -> tuple[str, ...]:
        """What this machine could not give the lab, in sentences."""
        return self._made().notes

    @property
    def trace(self) -> tuple[Event, ...]:
        """What happened to every packet so far, at each place where it was seen."""
        return self._carrier().tell()[0]

    @property
    def effects(self) -> tuple[WallEffect, ...]:
        """What the walls did so far; `packet` is the number of a packet in the trace."""
        return self._carrier().tell()[1]

    @property
    def counts(self) -> Counts:
        """How much was carried, and what is in no trace."""
        return self._carrier().counts

    def run(
        self, argv: Sequence[str], *, timeout: float | None = None, stdin: bytes = b"", env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None, end: Literal["client", "server"] = "client",
    ) -> Completed:
        """Run a command, as the client unless told otherwise, and return what it printed and how it ended.

        Args:
            argv: the program and its arguments.
            timeout: seconds after which it is ended, with all that it started; None: never.
            stdin: what it reads.
            env: variables in addition to this process's own.
            cwd: the folder that it starts in; None: this process's own.
            end: whose machine it runs on.

        Raises:
            LabError: there is no such program, or the lab ended first.
        """
        namespaces = self._made()
        pipes = os.pipe(), os.pipe(), os.pipe()
        (input_out, input_in), (output_out, output_in), (error_out, error_in) = pipes
        theirs, ours = (input_out, output_in, error_in), (input_in, output_out, error_out)
        with self._explained():
            try:
                command = namespaces.spawn(_END[end], argv, theirs, environment(_END[end], env), _folder(cwd), own_session=True)
            except BaseException:
                for descriptor in ours:
                    os.close(descriptor)
                raise
            finally:
                for descriptor in theirs:
                    os.close(descriptor)
            return communicate(command, stdin, ours, timeout)

    def attach(
        self, argv: Sequence[str], *, timeout: float | None = None, env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None, streams: Streams = (0, 1, 2),
    ) -> int | None:
        """Run a command as the client on this process's own terminal or streams; return its exit status, None if it had to be ended.

        Args:
            argv: the program and its arguments.
            timeout: seconds after which it is ended; None: never.
            env: variables in addition to this process's own.
            cwd: the folder that it starts in; None: this process's own.
            streams: descriptors of this process that become its input, output and errors.

        Raises:
            LabError: there is no such program, or the lab ended first.
        """
        with self._explained(), lent_terminal():
            command = self._made().spawn(End.CLIENT, argv, streams, environment(End.CLIENT, env), _folder(cwd), own_session=False)
            try:
                return command.wait(timeout)
            except TimeoutError:
                return None
            finally:
                command.end()

    def serve(
        self, argv: Sequence[str], *, port: int | Literal["any"] | None = None, transport: Literal["tcp", "udp"] = "tcp", within: float = 10.0,
        env: Mapping[str, str] | None = None, cwd: str | os.PathLike[str] | None = None,
    ) -> Server:
        """Start a command on the server's machine, and return once it listens.

        Args:
            argv: the program and its arguments. It may listen on any address that the layout says is served.
            port: where it will listen; `any`: wherever nobody listened before; None: do not wait.
            transport: on which transport.
            within: seconds that it may take to come up.
            env: variables in addition to this process's own.
            cwd: the folder that it starts in; None: this process's own.

        Raises:
            LabError: there is no such program, it ended, or it does not listen in time; the message ends with what it printed.
        """
        namespaces = self._made()
        with self._explained():
            before = namespaces.listeners(End.SERVER)
            server = Server(namespaces, argv, environment(End.SERVER, env), _folder(cwd))
            self._servers.append(server)
            if port == "any":
                server.wait_for_any(before, within)
            elif port is not None:
                server.wait_for(port, transport, within)
        return server

    def spawn(self, end: Literal["client", "server"], argv: Sequence[str], streams: Streams) -> Command:
        """Start a command on one machine, with descriptors that stay open here as its streams; it runs until it is ended or the lab is closed.

        Raises:
            LabError: there is no such program, or it cannot be run.
        """
        with self._explained():
            return self._made().spawn(_END[end], argv, streams, environment(_END[end]), _folder(None), own_session=True)

    def listeners(self, end: Literal["client", "server"]) -> set[tuple[str, int]]:
        """Return the transports and ports on which programs of one machine listen now."""
        return self._made().listeners(_END[end])

    def open_socket(self, end: Literal["client", "server"], family: int, kind: int) -> socket.socket:
        """Return a new socket of one machine's kernel for this process to use. Raises LabError."""
        return self._made().open_socket(_END[end], family, kind)

    def _made(self) -> Namespaces:
        if self._namespaces is None:
            raise LabError("the lab is not open")
        return self._namespaces

    def _carrier(self) -> Relay:
        if self._relay is None:
            raise LabError("the lab was never open")
        return self._relay

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Say why the lab ended, where it did so by itself."""
        try:
            yield
        except LabError:
            cause = self._carrier().problem
            if cause is None:
                raise
            raise LabError(f"the lab broke down: {cause}") from cause


_END = {"client": End.CLIENT, "server": End.SERVER}


def _folder(cwd: str | os.PathLike[str] | None) -> str:
    return os.fspath(cwd) if cwd is not None else str(Path.cwd())


def _vantage(vantage: Vantage | str | None, about: About | None) -> Vantage:
    if isinstance(vantage, Vantage):
        return vantage
    if vantage is not None:
        return load_vantage(vantage)
    if about is None:
        raise UsageError("this wall names no vantage; name one, or give a route")
    return about.place
