"""Listening sockets in, servers behind each out, until the control socket is closed."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec

from crenel.net.lab.internet import mail, plain
from crenel.net.lab.internet.answering import answer
from crenel.net.lab.internet.caddy import Caddy
from crenel.net.lab.internet.datagrams import Datagrams
from crenel.net.lab.internet.encrypting import Encrypting
from crenel.net.lab.internet.files import Files
from crenel.net.lab.internet.listening import BACKLOG, Listening, Opened
from crenel.net.lab.internet.pages import Pages
from crenel.net.lab.internet.programs import Running, start
from crenel.net.lab.internet.setup import Setup
from crenel.wire.dns import Query, read_query

_LONGEST_LINE = 65536
_WEB = ("http", "https")

_FAREWELL = 1.0
"""Seconds for which a closed connection may still be written to."""

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def serve(text: bytes, listening: Listening, control: socket.socket) -> None:
    """Serve what the JSON text of a setup asks for."""
    setup = msgspec.json.decode(text, type=Setup)
    asyncio.run(_serve(setup, listening, control))


async def _serve(setup: Setup, listening: Listening, control: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=control)
    serving = Serving(setup, listening)
    try:
        await serving.begin()
        writer.write(msgspec.json.encode(await serving.start_programs()) + b"\n")
        while line := await reader.readline():
            writer.write(msgspec.json.encode(await serving.obey(msgspec.json.decode(line))) + b"\n")
    except ConnectionError:
        pass
    finally:
        await serving.close()


class Serving:
    """All servers of a lab.

    Args:
        setup: what is wanted.
        listening: the sockets.
    """

    def __init__(self, setup: Setup, listening: Listening) -> None:
        self._setup = setup
        self._listening = listening
        self._issuer: Callable[..., str] | None = None
        self._encrypting = Encrypting(self._issue, setup.addresses)
        self._mail = mail.Mail(lambda: self._encrypting.context(()))
        self._pages = Pages(self._resolve)
        self._backend: asyncio.Server | None = None
        self._caddy: Caddy | None = None
        self._attached: dict[socket.socket, asyncio.Server | Datagrams] = {}
        self._programs: list[Running] = []
        self._problems: list[str] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._reached: set[str] = set()
        self._reaching = asyncio.Lock()

    async def begin(self) -> None:
        """Put a server behind each socket."""
        caddy = self._setup.caddy
        if caddy is not None:
            # Caddy asks here; clients come here by way of Caddy alone, as this machine's loopback address is not theirs.
            self._backend = await asyncio.start_server(_guarded(Pages(self._resolve, self._issue).serve), "127.0.0.1", 0, limit=_LONGEST_LINE)
            port = self._backend.sockets[0].getsockname()[1]
            mine = [opened for opened in self._listening.everything() if opened.service in _WEB]
            self._caddy = Caddy(caddy, mine, port, self._setup.folder, self._do_without_caddy)
        else:
            self._leave_quic()
        for opened in self._listening.everything():
            await self._attach(opened)
        await self.reach(self._setup.addresses)
        # While nobody asks: who first asks for TLS then waits 20 ms less.
        asyncio.get_running_loop().run_in_executor(None, self._issue, *self._setup.addresses)

    async def start_programs(self) -> dict[str, Any]:
        """Start the user's programs, and return once each listens or one does not."""
        for program in self._setup.programs:
            started = start(program)
            if isinstance(started, str):
                return {"problem": started}
            self._programs.append(started)
        problems = await asyncio.gather(*(program.come_up() for program in self._programs))
        return next(({"problem": problem} for problem in problems if problem), {"up": True})

    async def obey(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out what the lab asks for, and return the answer."""
        match request:
            case {"release": [str(transport), int(port)]}:
                await self._release(transport, port)
                return {"released": True}
            case _:
                return {"report": [*self._problems, *(program.problem for program in self._programs if program.problem)]}

    async def close(self) -> None:
        """End the programs and Caddy, and close every socket."""
        for program in self._programs:
            program.end()
        if self._caddy is not None:
            await self._caddy.close()
        for attached in self._attached.values():
            attached.close()
        self._listening.close()

    async def reach(self, addresses: Iterable[str]) -> None:
        """Serve at these addresses what is not served at all of them."""
        async with self._reaching:
            new = [address for address in dict.fromkeys(addresses) if address not in self._reached]
            if not new or not self._listening.narrow:
                return
            self._reached.update(new)
            for opened in self._listening.reach(new, _WEB if self._caddy is not None else ()):
                await self._attach(opened)
            if self._caddy is not None:
                await self._let_caddy_reach(self._caddy, new)

    async def _let_caddy_reach(self, caddy: Caddy, addresses: list[str]) -> None:
        places = {
            (service, transport): [
                f"{_bracketed(address)}:{self._listening.ports[service]}" for address in addresses if self._listening.may(service, transport, address)
            ]
            for service, transport in self._listening.narrow
            if service in _WEB
        }
        if any(places.values()):
            await caddy.reach(places)

    def _do_without_caddy(self) -> None:
        """Serve the web from here, where Caddy does not run."""
        self._caddy = None
        self._problems.append("Caddy does not run here, so that the lab's web servers speak no HTTP/2 and HTTP/3")
        self._leave_quic()
        for opened in self._listening.everything():
            if opened.service in _WEB:
                task = asyncio.get_running_loop().create_task(self._attach(opened))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def _leave_quic(self) -> None:
        """Have the kernel refuse QUIC, as nobody speaks it here, so that clients try TCP at once."""
        for opened in self._listening.release("udp", self._listening.ports["https"]):
            opened.socket.close()

    async def _release(self, transport: str, port: int) -> None:
        gone = self._listening.release(transport, port)
        if self._caddy is not None and any(opened.service in _WEB for opened in gone):
            await self._caddy.release([opened for opened in gone if opened.service in _WEB])
        for opened in gone:
            attached = self._attached.pop(opened.socket, None)
            if attached is not None:
                attached.close()
            opened.socket.close()

    async def _attach(self, opened: Opened) -> None:
        service, transport, listener = opened
        if service in _WEB and self._caddy is not None:
            return
        if transport == "udp":
            reply = {"dns": self._resolve_datagram, "echo": plain.echo_datagram}.get(service, plain.discard_datagram)
            self._attached[listener] = Datagrams(listener, reply)
            return
        handlers: dict[str, tuple[Handler, tuple[str, ...] | None]] = {
            "echo": (plain.echo, None), "discard": (plain.discard, None), "ftp": (_serve_files, None), "smtp": (self._mail.serve, None),
            "submission": (self._mail.serve, None), "dns": (self._serve_dns, None), "dot": (self._serve_dns, ("dot",)),
            "http": (self._pages.serve, None), "https": (self._pages.serve, ("http/1.1",)),
        }  # fmt: skip
        handler, protocols = handlers[service]
        wrapped = _guarded(handler) if protocols is None else self._encrypted(handler, protocols)
        self._attached[listener] = await asyncio.start_server(wrapped, sock=listener, limit=_LONGEST_LINE, backlog=BACKLOG)

    def _encrypted(self, handler: Handler, protocols: tuple[str, ...]) -> Handler:
        """Return a handler of connections that begin with TLS; certificates are made when the first comes."""

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await writer.start_tls(self._encrypting.context(protocols))
            await handler(reader, writer)

        return _guarded(handle)

    def _issue(self, *names: str) -> str:
        if self._issuer is None:
            from crenel.net.lab.internet.authority import Authority, Issuer  # noqa: PLC0415  it takes 35 ms, which not every lab needs to spend

            self._issuer = Issuer(Authority(self._setup.certificate, self._setup.key)).issue
        return self._issuer(*names)

    async def _serve_dns(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer queries over TCP or TLS (RFC 1035 section 4.2.2, RFC 7858)."""
        while True:
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            said = await self._resolve(await reader.readexactly(size))
            if said is None:
                return
            writer.write(struct.pack("!H", len(said)) + said)
            await writer.drain()

    async def _resolve(self, query: bytes) -> bytes | None:
        await self._prepare(query)
        return answer(query, self._setup.names, limited=False)

    async def _resolve_datagram(self, query: bytes) -> bytes | None:
        await self._prepare(query)
        return answer(query, self._setup.names, limited=True)

    async def _prepare(self, query: bytes) -> None:
        """Have servers where the answer will lead, before it is given."""
        if self._listening.narrow:
            asked = read_query(query)
            if isinstance(asked, Query):
                await self.reach(self._setup.names.look_up(asked.name.value.decode("latin-1")))


async def _serve_files(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await Files(reader, writer).serve()


def _bracketed(address: str) -> str:
    return f"[{address}]" if ipaddress.ip_address(address).version == 6 else address


def _guarded(handler: Handler) -> Handler:
    """Return a handler that ends quietly where the connection does, and leaves none open."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            try:
                await handler(reader, writer)
            finally:
                writer.close()
                # A connection whose TLS began with garbage may never say that it is closed, and the end of everything would wait for it.
                async with asyncio.timeout(_FAREWELL):
                    await writer.wait_closed()

    return handle
