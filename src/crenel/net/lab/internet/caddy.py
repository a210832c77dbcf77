"""Listening sockets in, Caddy behind them out, from the first connection on: HTTP/1.1, HTTP/2 and HTTP/3 for every name.

Caddy takes some 30 ms to begin, during which the kernel keeps the connection; a lab that needs no web server does not pay for it.
The first page over TLS took 47 ms with it and 34 ms with Python alone, later ones 2 and 4 ms: too little between them for Python to serve
HTTP/1.1 first and Caddy only who asks for more, which nearly every client does.
"""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from crenel.net.lab.internet.listening import Opened
from crenel.net.lab.internet.pages import CERTIFICATE_PATH, DNS_PATH, PAGE

_MOST_STARTS = 3
"""How often Caddy is started in all (bench): one that ends at once would else be started for ever."""
_READY = 10.0
_SECURE = {"tcp": ["h1", "h2"], "udp": ["h3"]}
"""What is spoken under TLS, by transport."""


def find_caddy() -> str | None:
    """Return where Caddy is: beside the Python that runs, as the extra `lab` puts it, or on the PATH."""
    beside = shutil.which("caddy", path=os.path.dirname(sys.executable))  # noqa: PTH120  pathlib takes a quarter of the start-up to import
    return beside or shutil.which("caddy")


def configure(sockets: Iterable[Opened], addresses: Mapping[tuple[str, str], Iterable[str]], backend: int, folder: str) -> dict[str, Any]:
    """Return the configuration.

    Args:
        sockets: those of the services `http` and `https` that it inherits.
        addresses: places at which it listens by itself, as `address:port`, by service and transport.
        backend: the port of this machine at which it asks for certificates and for what is no mere page.
        folder: where it may write.
    """
    places: dict[tuple[str, str], list[str]] = {key: list(listed) for key, listed in addresses.items()}
    for opened in sockets:
        kind = "fd" if opened.transport == "tcp" else "fdgram"
        places.setdefault((opened.service, opened.transport), []).append(f"{kind}/{opened.socket.fileno()}")
    plain = places.get(("http", "tcp"), [])
    secure = [(place, protocols) for transport, protocols in _SECURE.items() for place in places.get(("https", transport), [])]
    server = {"routes": _routes(backend), "automatic_https": {"disable": True}}
    servers: dict[str, Any] = {}
    if plain:
        servers["plain"] = server | {"listen": plain, "protocols": ["h1", "h2c"]}
    if secure:
        servers["secure"] = server | {
            "listen": [place for place, _ in secure], "listen_protocols": [protocols for _, protocols in secure], "tls_connection_policies": [{}],
        }  # fmt: skip
    source = {"via": "http", "url": f"http://127.0.0.1:{backend}{CERTIFICATE_PATH}"}
    return {
        "admin": {"listen": f"unix/{folder}/admin", "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "storage": {"module": "file_system", "root": f"{folder}/storage"},
        "apps": {
            "http": {"grace_period": "1s", "servers": servers},
            "tls": {"automation": {"policies": [{"get_certificate": [source], "on_demand": True}]}},
        },
    }


def _routes(backend: int) -> list[dict[str, Any]]:
    page = PAGE.format(host="{http.request.host}", protocol="{http.request.proto}")
    proxy = {"handler": "reverse_proxy", "upstreams": [{"dial": f"127.0.0.1:{backend}"}]}
    return [
        {"match": [{"path": [DNS_PATH, "*/bytes/*"]}], "handle": [proxy], "terminal": True},
        {"handle": [{"handler": "static_response", "status_code": 200, "headers": {"Content-Type": ["text/html; charset=utf-8"]}, "body": page}]},
    ]


class Caddy:
    """Caddy, started when somebody connects and again if it ends.

    Args:
        program: where it is.
        sockets: what it serves.
        backend: the port of the backend.
        folder: where it may write.
        give_up: is called when it has ended by itself too often; then nobody serves the sockets.
    """

    def __init__(self, program: str, sockets: Iterable[Opened], backend: int, folder: str, give_up: Callable[[], None]) -> None:
        self._program = program
        self._sockets = list(sockets)
        self._backend = backend
        self._folder = folder
        self._give_up = give_up
        self._addresses: dict[tuple[str, str], list[str]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._armed: list[int] = []
        self._starts = 0
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._arm()

    async def reach(self, places: Mapping[tuple[str, str], Iterable[str]]) -> None:
        """Listen at more places; return once it does."""
        async with self._lock:
            for key, listed in places.items():
                self._addresses.setdefault(key, []).extend(listed)
            if self._process is None:
                await self._begin()
            await _put(f"{self._folder}/admin", self._configuration())

    async def release(self, gone: Iterable[Opened]) -> None:
        """Close some of the sockets; connections over others break too, if it runs."""
        async with self._lock:
            self._disarm()
            lost = list(gone)
            self._sockets = [opened for opened in self._sockets if opened not in lost]
            for opened in lost:
                opened.socket.close()
                self._addresses.pop((opened.service, opened.transport), None)
            await self._end()
            if self._addresses:
                await self._begin()
            else:
                self._arm()

    async def close(self) -> None:
        """End it, and close its sockets."""
        self._disarm()
        await self._end()
        for opened in self._sockets:
            opened.socket.close()

    def _configuration(self) -> bytes:
        return json.dumps(configure(self._sockets, self._addresses, self._backend, self._folder)).encode()

    def _arm(self) -> None:
        """Begin when somebody connects."""
        loop = asyncio.get_running_loop()
        for opened in self._sockets:
            self._armed.append(opened.socket.fileno())
            loop.add_reader(opened.socket.fileno(), self._wake)

    def _disarm(self) -> None:
        loop = asyncio.get_running_loop()
        while self._armed:
            loop.remove_reader(self._armed.pop())

    def _wake(self) -> None:
        self._disarm()
        task = asyncio.get_running_loop().create_task(self._awake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _awake(self) -> None:
        async with self._lock:
            if self._process is None:
                await self._begin()

    async def _begin(self) -> None:
        self._disarm()
        self._starts += 1
        os.makedirs(self._folder, mode=0o700, exist_ok=True)  # noqa: PTH103  as above
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{self._folder}/admin")  # noqa: PTH108  as above
        try:
            self._process = await asyncio.create_subprocess_exec(
                self._program, "run", "--config", "-", stdin=subprocess.PIPE, pass_fds=[opened.socket.fileno() for opened in self._sockets],
                env={"HOME": self._folder, "PATH": os.defpath},
            )  # fmt: skip
        except OSError:
            self._give_up()
            return
        if self._process.stdin is not None:
            self._process.stdin.write(self._configuration())
            self._process.stdin.close()
        self._watch = asyncio.get_running_loop().create_task(self._rise_again(self._process))

    async def _rise_again(self, process: asyncio.subprocess.Process) -> None:
        await process.wait()
        self._process = None
        if self._starts < _MOST_STARTS:
            self._arm()
        else:
            self._give_up()

    async def _end(self) -> None:
        process, watch = self._process, self._watch
        self._process = self._watch = None
        if watch is not None:
            watch.cancel()
        if process is not None:
            self._starts -= 1
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _put(place: str, configuration: bytes) -> None:
    """Give a Caddy that runs or begins another configuration. Raises OSError where it does not take it."""
    async with asyncio.timeout(_READY):
        reader, writer = await _connect(place)
        head = ("POST /load HTTP/1.1", "Host: caddy", "Content-Type: application/json", f"Content-Length: {len(configuration)}", "Connection: close")
        writer.write("\r\n".join((*head, "", "")).encode() + configuration)
        answer = await reader.read()
        writer.close()
    if not answer.startswith(b"HTTP/1.1 200"):
        raise OSError(0, answer.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")[:500])


async def _connect(place: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        with contextlib.suppress(OSError):
            return await asyncio.open_unix_connection(place)
        await asyncio.sleep(0.005)
