"""An application, a wall and a route in, the exchange that they come to between two real TCP stacks out: the ground that needs Linux.

One loop drives everything: both ends' TUN devices and sockets, the strategies and the path with its walls. The path keeps its virtual time:
while the stacks have nothing to say, its clock is set on to whatever is due next. So nobody waits for a delay or for a client's
patience, and what races on the path comes in the order in which it would.
"""

import contextlib
import socket
from collections.abc import Mapping
from typing import Self

from crenel.coins import Coins
from crenel.errors import LabError
from crenel.instant import Instant
from crenel.net.app.speaker import App
from crenel.net.exchange import Exchange
from crenel.net.ground import Tactic
from crenel.net.lab.doctor import examine
from crenel.net.lab.kernel_numbers import Numbers
from crenel.net.lab.kernel_sockets import Sockets
from crenel.net.lab.kernel_stack import KernelStack
from crenel.net.lab.namespaces import Namespaces
from crenel.net.lab.plan import Layout, Plan
from crenel.net.path.path import End, Path
from crenel.net.path.route import Route
from crenel.net.sim.ends import ClientEnd, ServerEnd
from crenel.net.sim.network import Network
from crenel.net.sim.trials import AFTERGLOW, LONGEST, Between, Simulated, initial_numbers
from crenel.wall.wall import Wall

_FIRST_PORT, _LAST_PORT = 10_000, 60_000
"""Between them lie the ports that the client's kernel is given (bench)."""
_PORTS = 8
"""Ports that a trial may use: one for each try of a client (bench)."""


class Kernel:
    """Carries out trials on this machine's TCP, in two network namespaces that exist while this is entered.

    The exchanges are those of `Simulated` with the same arguments, but for what the kernel does otherwise than a simulated host.
    Several may be open at once; one is for one thread at a time.

    Args:
        start: when each trial begins.
        longest: nanoseconds of virtual time after which it is broken off.
        between: who talks.
        tolerate: an exchange is at risk where its chance is above this.
        afterglow: nanoseconds for which it goes on once the client knows how it ends.
    """

    def __init__(
        self, start: Instant = Instant(0), *, longest: int = LONGEST, between: Between = Between(), tolerate: float = 0.0,  # noqa: B008
        afterglow: int = AFTERGLOW,
    ) -> None:  # fmt: skip
        self.start = start
        self._calm = Simulated(start, longest, between, tolerate, afterglow)
        self._open = contextlib.ExitStack()
        self._tuns: tuple[int, ...] = ()
        self._sockets: list[Sockets] = []
        self._listeners: tuple[dict[int, socket.socket], dict[int, socket.socket]] = ({}, {})
        self._port = _FIRST_PORT

    def __enter__(self) -> Self:
        """Make the namespaces. Raises LabError where this machine does not let this user make them, and says what is missing."""
        between = self._calm.between
        layout = Layout(client=(_text(between.client),), server=(_text(between.server),), served=(), resolver=_text(between.server))
        with contextlib.ExitStack() as stack:
            try:
                namespaces = Namespaces(Plan(layout=layout))
            except LabError as problem:
                raise LabError(f"trials on the kernel need a lab, and {examine().missing or problem}") from problem
            stack.callback(namespaces.close)
            self._tuns = namespaces.tuns
            self._sockets = [stack.enter_context(Sockets(namespaces, end)) for end in End]
            self._open = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for listeners in self._listeners:
            while listeners:
                listeners.popitem()[1].close()
        self._tuns, self._sockets = (), []
        self._open.close()

    def trial(self, app: App, wall: Wall, path: Route, client: Tactic | None, server: Tactic | None, coins: Coins) -> Exchange:
        """Carry out one exchange from empty memory; `wall` is the one whose effects the exchange tells of, and stands in `path`.

        Raises LabError outside of `with`, and where the namespaces are gone.
        """
        tactics = {end: tactic for end, tactic in ((End.CLIENT, client), (End.SERVER, server)) if tactic is not None}
        carried = Path(path, coins, self.start)
        ended = self._play(app, carried, coins, tactics)
        ending = ended.finished(Instant(self.start + self._calm.longest))
        return Exchange(
            wall, self.start, ending, carried.trace, carried.effects, lambda: self._calm.calm(app, wall, path, coins, tactics),
            self._calm.tolerate,
        )  # fmt: skip

    def _play(self, app: App, path: Path, coins: Coins, tactics: Mapping[End, Tactic]) -> ClientEnd:
        if not self._tuns:
            raise LabError("trials on the kernel take place while its `with` block runs")
        calm, start = self._calm, self.start
        between = calm.between
        numbers = Numbers(self._next_port() - between.sport, initial_numbers(coins))
        addresses = between.client, between.server
        stacks = [KernelStack(end, addresses[end], self._tuns[end], self._sockets[end], self._listeners[end], numbers, start) for end in End]
        try:
            server = ServerEnd(app, stacks[End.SERVER])
            client = ClientEnd(app, stacks[End.CLIENT], between.server, between.sport, start)
            network = Network(path, client, server, {end: tactic(coins) for end, tactic in tactics.items()})
            end = Instant(start + calm.longest)
            stop = network.run(start, end, done=lambda: client.experience)
            if calm.afterglow:
                network.run(stop.at, min(end, Instant(stop.at + calm.afterglow)))
        finally:
            for stack in stacks:
                stack.close(addresses[stack.end.other], app.port)
        return client

    def _next_port(self) -> int:
        """Return the first of the ports that the next trial may use; they come round again after some thousand trials."""
        port = self._port
        self._port = port + _PORTS if port + 2 * _PORTS <= _LAST_PORT else _FIRST_PORT
        return port


def _text(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)
