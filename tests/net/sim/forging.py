"""The name of a box and a date in, the packets that the box forges when it is provoked alone on a path out."""

import functools
import itertools

import msgspec

from crenel.atlas.compile import load_wall
from crenel.atlas.load import load_vantage
from crenel.coins import KeyedCoins, Law
from crenel.instant import NANOSECONDS, Instant
from crenel.net.path.path import End, Path
from crenel.net.path.route import route_of
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query, frame_tcp
from crenel.wire.packet import ACK, PSH, SYN, Packet, tcp_packet
from crenel.wire.tls_build import build_client_hello
from tests.net.sim.scripted import bare
from tests.net.telling import check_accounts

CLIENT, SERVER = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2))
SECOND = NANOSECONDS
HELLO = build_client_hello(b"blocked.example", random=bytes(range(32)))
GET = b"GET /?q=%b HTTP/1.1\r\nHost: %b\r\n\r\n"

SAID: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "dns-tcp": (53, (frame_tcp(build_query(b"blocked.example", ident=1)),)),
    "http-host": (80, (GET % (b"x", b"blocked.example"),)),
    "http-keyword": (80, (GET % (b"ultrasurf", b"allowed.example"),)),
    "tls-sni-single": (443, (HELLO, b"\x14\x03\x03\x00\x01\x01")),
    "tls-sni-triple": (443, (HELLO,)),
    "tls-sni-late": (443, (HELLO,)),
    "tls-sni-drop": (443, (HELLO,)),
    "http-page": (80, (GET % (b"x", b"allowed.example"),)),
    "ip-reset": (443, ()),
    "port-443": (443, ()),
    "ftp": (21, (b"RETR ultrasurf\r\n",)),
    "smtp": (25, (b"HELO x\r\n", b"MAIL FROM:<someone@example.org>\r\n", b"RCPT TO:<xiazai@upup.info>\r\n")),
}
"""Server port and what the client says, in segments, to provoke a box; with nothing to say, its SYN is enough."""
SERVERS = {"http-page": bytes((203, 0, 113, 68)), "ip-reset": bytes((1, 1, 1, 1))}


class Swept(KeyedCoins):
    """Everything that can happen does; whatever is drawn is drawn at one place of its law."""

    __slots__ = ("_at",)

    def __init__(self, at: float) -> None:
        super().__init__(0)
        self._at = at

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True where that has any chance."""
        return p > 0.0

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the number at the place swept to."""
        return law.at(self._at)


class Certain(KeyedCoins):
    """Every toss comes up, but draws follow their laws, each by itself."""

    __slots__ = ()

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True where that has any chance, save between templates and devices that exclude one another."""
        return super().toss(box, scope, name, p) if name.startswith(("which-", "device-")) else p > 0.0


class Forged(msgspec.Struct, frozen=True):
    """What one box did on one path."""

    ground: Packet
    """The packet that provoked it, as it was at the wall."""
    client: tuple[Packet, ...]
    """What it sent toward the client, as it left the wall."""
    server: tuple[Packet, ...]


@functools.cache
def alone(box: str, as_of: str) -> Wall:
    wall = load_wall("gfw", as_of=as_of, listed=("*",) if box.startswith("tls") else ())
    return wall.alone(next(one for one in wall.boxes if one.id == box))


def provoke(box: str, as_of: str, coins: KeyedCoins) -> Forged:
    """Lead a connection past one box until it acts, and return what it forged."""
    wall = alone(box, as_of)
    port, said = SAID[box]
    server = SERVERS.get(box, SERVER)
    path = Path(bare(route_of(load_vantage("zhengzhou"), wall)), coins)
    ours = functools.partial(tcp_packet, CLIENT, server, 50_000, port, window=512)
    talk = [(End.CLIENT, ours(seq=1000, flags=SYN))]
    if said:
        theirs = tcp_packet(server, CLIENT, port, 50_000, seq=5000, ack=1001, flags=SYN | ACK)
        talk += [(End.SERVER, theirs), (End.CLIENT, ours(seq=1001, ack=5001))]
        for text, start in zip(said, itertools.accumulate((len(text) for text in said), initial=1001), strict=False):
            talk.append((End.CLIENT, ours(seq=start, ack=5001, flags=PSH | ACK, payload=text)))
    for number, (end, packet) in enumerate(talk):
        path.send(Instant(number * SECOND), end, packet)
        while path.next_due() is not None:
            path.pop()
        if any(event.what == "injected" for event in path.trace):
            break
    check_accounts(path.trace)
    forged = [event for event in path.trace if event.what == "injected"]
    assert {event.injected_by for event in forged} == {box}
    assert len({event.cause for event in forged}) == 1
    ground = next(event.packet for event in path.trace if event.number == forged[0].cause and event.what in {"passed", "dropped"})
    received = [event for event in path.trace if event.what == "arrived" and event.injected_by]
    begun = {event.number: event.packet.ttl for event in forged}
    assert all(event.packet.ttl == begun[event.number] - (6 if event.toward == "client" else 8) for event in received)
    return Forged(ground, *(tuple(event.packet for event in forged if event.toward == toward) for toward in ("client", "server")))
