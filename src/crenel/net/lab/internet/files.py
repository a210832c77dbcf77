"""An FTP client's commands in, replies and files out: any path is a short text or, as `bytes/N`, so many bytes (RFC 959, RFC 2428)."""

import asyncio
import contextlib
import ipaddress
import itertools
import posixpath
from collections.abc import Awaitable, Callable

LONGEST = 4096
"""Bytes of a line."""
MOST = 1 << 30
"""Bytes of the longest file."""

_PATIENCE = 10.0
"""Seconds for which a data connection is awaited (bench)."""
_CHUNK = 65536
_LISTING = b"-rw-r--r-- 1 ftp ftp 29 Jan  1 00:00 README\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def sized(path: str) -> int | None:
    """Return the N of a path that ends in `bytes/N`; None for other paths and for more than is ever sent."""
    *_, kind, number = ["", "", *path.split("/")]
    if kind == "bytes" and number.isascii() and number.isdigit() and len(number) <= len(str(MOST)) and int(number) <= MOST:
        return int(number)
    return None


class Files:
    """One FTP control connection; commands that need no rights beyond reading and writing, for any user and password."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._passive: asyncio.Server | None = None
        self._arrivals: asyncio.Queue[Streams] = asyncio.Queue()
        self._active: tuple[str, int] | None = None
        self._folder = "/"

    async def serve(self) -> None:
        """Talk to the client until it is gone."""
        self._say("220 FTP server ready")
        try:
            while True:
                await self._writer.drain()
                line = await self._reader.readline()
                if not line.endswith(b"\n"):
                    return
                verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
                verb = verb.upper()
                if verb == "QUIT":
                    self._say("221 Goodbye")
                    return
                if verb in _ACTIONS:
                    await _ACTIONS[verb](self, rest)
                else:
                    self._say(_REPLIES.get(verb, "500 Unknown command"))
        finally:
            self._close_passive()

    def _say(self, text: str) -> None:
        self._writer.write(f"{text}\r\n".encode())

    async def tell_size(self, path: str) -> None:
        """Say how long a file is."""
        size = sized(posixpath.join(self._folder, path))
        self._say(f"213 {len(_text(path)) if size is None else size}")

    async def change_folder(self, path: str) -> None:
        """Go to a folder; each exists."""
        self._folder = posixpath.normpath(posixpath.join(self._folder, path))
        self._say("250 Ok")

    async def tell_folder(self, _: str) -> None:
        """Say where the client is."""
        quoted = self._folder.replace('"', '""')
        self._say(f'257 "{quoted}"')

    async def _listen(self, extended: str | None) -> None:
        """Open a place for the data connection, at the address by which the client reached this server."""
        self._close_passive()
        address = self._writer.get_extra_info("sockname")[0]
        self._passive = await asyncio.start_server(self._arrive, address, 0)
        port = self._passive.sockets[0].getsockname()[1]
        if extended is None:
            numbers = ",".join((*address.split("."), str(port >> 8), str(port & 255)))
            self._say(f"227 Entering passive mode ({numbers})")
        else:
            self._say(f"229 Entering extended passive mode (|||{port}|)")

    async def open_place(self, _: str) -> None:
        """Open a place for the data connection, told as six numbers, which have room for IPv4 only."""
        if ":" in self._writer.get_extra_info("sockname")[0]:
            self._say("425 Use EPSV")
        else:
            await self._listen(None)

    async def _arrive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._arrivals.put((reader, writer))

    async def take_place(self, rest: str) -> None:
        """Remember where the client listens: at its own address, or nowhere, so that nobody else is called on its behalf."""
        numbers = rest.split("|")[2:4] if rest.startswith("|") else _from_numbers(rest)
        try:
            address, port = str(ipaddress.ip_address(numbers[0])), int(numbers[1])
        except (IndexError, ValueError):
            self._say("501 No address")
            return
        if address != self._writer.get_extra_info("peername")[0] or not 0 < port < 65536:
            self._say("504 Only to the address from which you call")
            return
        self._active = address, port
        self._say("200 Ok")

    async def _connect(self) -> Streams | None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                if self._active is not None:
                    return await asyncio.open_connection(*self._active)
                if self._passive is not None:
                    return await self._arrivals.get()
        return None

    async def _transfer(self, act: Callable[[Streams], Awaitable[object]]) -> None:
        if self._active is None and self._passive is None:
            self._say("425 Use EPSV, PASV, EPRT or PORT first")
            return
        self._say("150 Opening a data connection")
        await self._writer.drain()
        streams = await self._connect()
        self._active = None
        if streams is None:
            self._say("425 No data connection came about")
            return
        try:
            await act(streams)
            streams[1].close()
            self._say("226 Transfer complete")
        except OSError:
            self._say("426 The data connection broke")
        finally:
            streams[1].close()
            self._close_passive()

    async def retrieve(self, path: str) -> None:
        """Send a file."""
        size = sized(posixpath.join(self._folder, path))

        async def act(streams: Streams) -> None:
            for chunk in [_text(path)] if size is None else zeros(size):
                streams[1].write(chunk)
                await streams[1].drain()

        await self._transfer(act)

    async def store(self, _: str) -> None:
        """Take a file and forget it."""
        async def act(streams: Streams) -> None:
            while await streams[0].read(_CHUNK):
                pass

        await self._transfer(act)

    async def list_files(self, _: str) -> None:
        """Send a listing of one file."""
        async def act(streams: Streams) -> None:
            streams[1].write(_LISTING)
            await streams[1].drain()

        await self._transfer(act)

    async def open_port(self, rest: str) -> None:
        """Open a place for the data connection, told as its port."""
        if rest.upper() == "ALL":
            self._say("200 Ok")
        else:
            await self._listen(rest)

    def _close_passive(self) -> None:
        if self._passive is not None:
            self._passive.close()
            self._passive = None
        while not self._arrivals.empty():
            self._arrivals.get_nowait()[1].close()


def zeros(size: int) -> list[bytes]:
    """Return so many bytes, in parts that share their memory."""
    whole, rest = divmod(size, _CHUNK)
    return list(itertools.repeat(bytes(_CHUNK), whole)) + ([bytes(rest)] if rest else [])


def _text(path: str) -> bytes:
    return f"This is {path} in a lab.\r\n".encode()


def _from_numbers(text: str) -> list[str]:
    """Return address and port of a PORT command (RFC 959 section 4.1.2)."""
    parts = text.split(",")
    if len(parts) != 6 or not all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
        return []
    return [".".join(parts[:4]), str(int(parts[4]) << 8 | int(parts[5]))]


_ACTIONS: dict[str, Callable[[Files, str], Awaitable[None]]] = {
    "CWD": Files.change_folder, "PWD": Files.tell_folder, "SIZE": Files.tell_size,
    "PASV": Files.open_place, "EPSV": Files.open_port, "PORT": Files.take_place, "EPRT": Files.take_place,
    "RETR": Files.retrieve, "STOR": Files.store, "APPE": Files.store, "LIST": Files.list_files, "NLST": Files.list_files,
}  # fmt: skip
_REPLIES = {
    "USER": "331 Password, please", "PASS": "230 Logged in", "SYST": "215 UNIX Type: L8", "TYPE": "200 Ok", "MODE": "200 Ok",
    "STRU": "200 Ok", "NOOP": "200 Ok", "OPTS": "200 Ok", "CDUP": "250 Ok", "DELE": "250 Ok",
    "MKD": "257 Ok", "RMD": "250 Ok", "FEAT": "211-Features\r\n EPSV\r\n EPRT\r\n SIZE\r\n UTF8\r\n211 End", "ABOR": "226 Nothing to end",
}  # fmt: skip
