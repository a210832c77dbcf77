"""A strategy's text and a packet in, what leaves its end out; and the packets of one small connection, with where to find the facts."""

from pathlib import Path

import pytest

from crenel.coins import Coins, KeyedCoins
from crenel.evade.apply import Applied, prepare
from crenel.evade.corrupt import Loads
from crenel.evade.parse import parse
from crenel.wire.dns_build import build_query, build_response
from crenel.wire.http import build_request
from crenel.wire.ip import parse_packet, serialise
from crenel.wire.packet import ACK, FIN, PSH, SYN, Packet, tcp_packet, udp_packet
from crenel.wire.tls_build import build_client_hello
from tests.data import DATA

CLIENT, SERVER = bytes((192, 0, 2, 1)), bytes((198, 51, 100, 7))
STAMP = b"\x01\x01\x08\x0a" + bytes(range(8))
SYN_OPTIONS = b"\x02\x04\x05\xb4\x04\x02\x08\x0a" + bytes(range(8)) + b"\x01\x03\x03\x07"
REQUEST = build_request(b"www.blocked.example", b"/?q=word")
HELLO = build_client_hello(b"www.blocked.example", random=bytes(range(32)))


def sent(flags: int, payload: bytes = b"", *, seq: int = 1001, options: bytes = STAMP, dport: int = 80) -> Packet:
    """Make a segment of the client."""
    return tcp_packet(CLIENT, SERVER, 40000, dport, seq=seq, ack=5001 if flags & ACK else 0, flags=flags, payload=payload, ident=7, options=options)


OPENING = sent(SYN, seq=1000, options=SYN_OPTIONS)
BARE = sent(ACK)
DATA_SEGMENT = sent(PSH | ACK, REQUEST)
HELLO_SEGMENT = sent(PSH | ACK, HELLO, dport=443)
CLOSING = sent(FIN | ACK, seq=1001 + len(REQUEST))
ANSWERED = tcp_packet(SERVER, CLIENT, 80, 40000, seq=5000, ack=1001, flags=SYN | ACK, options=SYN_OPTIONS)
QUERY = udp_packet(CLIENT, SERVER, 40000, 53, build_query(b"www.blocked.example", ident=0x1234), ident=9)
ANSWER = udp_packet(SERVER, CLIENT, 53, 40000, build_response(QUERY.payload, [bytes((198, 18, 0, 1))]), ident=9)
CONVERSATION = (OPENING, BARE, DATA_SEGMENT, CLOSING, ANSWERED, QUERY, ANSWER)


def started(dna: str, coins: Coins | None = None, loads: Loads = Loads.RELEASED) -> Applied:
    """Make a strategy ready and begin a trial."""
    return prepare(parse(dna), loads).start(KeyedCoins(1) if coins is None else coins)


def act(dna: str, packet: Packet, coins: Coins | None = None) -> list[Packet]:
    """Return what a strategy sends for a packet, whatever the delays."""
    return [one for _, one in started(dna, coins).outbound(packet)]


def late(dna: str, packet: Packet) -> list[int]:
    """Return the delays of what a strategy sends for a packet, in milliseconds."""
    return [after // 1_000_000 for after, _ in started(dna).outbound(packet)]


def on_wire(packet: Packet) -> Packet:
    """Return a packet as a reader on the way gets it, all numbers in it as they are."""
    parsed = parse_packet(serialise(packet))
    assert isinstance(parsed, Packet)
    return parsed


def facts_path(name: str) -> Path:
    """Return the path of a file of facts, or skip the calling test with a reason."""
    path = DATA.parent / "facts" / name
    if not path.exists():
        pytest.skip(f"facts absent: {name} (looked beside the test data)")
    return path
