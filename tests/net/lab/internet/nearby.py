"""A setup in, the lab's internet on this machine's loopback address out, where no namespace is needed."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from crenel.errors import LabError
from crenel.net.lab.command import Streams
from crenel.net.lab.internet.authority import Authority, make_authority
from crenel.net.lab.internet.internet import Internet
from crenel.net.lab.internet.listening import SERVICES
from crenel.net.lab.internet.naming import Names
from crenel.net.lab.internet.setup import Setup

ADDRESS = "127.0.0.1"
AUTHORITY = make_authority()
NAMES = Names(network_4="127.64.0.0/10", with_6=False)
"""Names lead to this machine, so that a wildcard would serve them."""


class Child:
    """A process of this machine in the place of one in a namespace."""

    def __init__(self, argv: Sequence[str], streams: Streams) -> None:
        self.process = subprocess.Popen(argv, stdin=streams[0], stdout=streams[1], stderr=streams[2], start_new_session=True)

    def poll(self) -> int | None:
        """Return its exit status, if it has ended."""
        return self.process.poll()

    def end(self) -> None:
        """Kill it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Wait until it has noticed that its control socket is closed."""
        try:
            self.process.wait(10)
        finally:
            self.end()


def setup_in(folder: Path, authority: Authority = AUTHORITY) -> Setup:
    """Return a setup without Caddy, on the loopback address and ports that are free."""
    return Setup(
        certificate=authority.certificate, key=authority.key, names=NAMES, wildcards=(ADDRESS,), addresses=(ADDRESS,), folder=str(folder),
        ports=dict.fromkeys(SERVICES, 0),
    )  # fmt: skip


@contextlib.contextmanager
def internet(setup: Setup, **changes: object) -> Iterator[Internet]:
    """Run an internet here until the block ends; what it could not handle it would have printed."""
    made = _listening(msgspec.structs.replace(setup, **changes))
    try:
        made.come_up()
        yield made
        assert made._last_words() == ""
    finally:
        made.close()


def _listening(setup: Setup) -> Internet:
    """Begin again where a port of one transport was free and that of the other was not: other tests run beside this one."""
    for tries in range(5):
        made = Internet(Child, setup)
        try:
            made.listen()
        except LabError:
            made.close()
            if tries == 4:
                raise
        else:
            return made
    raise AssertionError
