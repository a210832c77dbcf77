"""A seed in, benchmark captures out: classic pcap files as an iterator of byte chunks, the same bytes for the same seed.

The caller opens the file. Addresses lie in 198.18.0.0/15, which RFC 2544 sets aside for benchmarks, clients in the lower half; no two
flows of a capture share a client and a server, so nothing remembered about one pair hits another. A long ClientHello is one packet
of 1.7 kB, as captures show it on hosts whose network card cuts the segments: so a peer that reads packet by packet reads the same
hellos as one that reassembles. Two flows in a hundred carry the listed name.
"""

import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

from crenel.bench.frames import FILE_HEADER, End, Segment, tcp_record, udp_record
from crenel.bench.initials import quic_initials
from crenel.bench.payloads import LISTED, dns_query, http_request, lean_request, long_hello, random_name, short_hello
from crenel.wire.dns import AAAA, A
from crenel.wire.packet import ACK, PSH, SYN

FLOW_PACKETS = 64
"""Packets of each flow of `established`."""

_CLIENTS, _SERVERS = 0xC6120000, 0xC6130000  # 198.18.0.0/16, 198.19.0.0/16
_SPREAD = 0x9E3779B1  # odd, hence every 32-bit number comes once: 2**32 / golden ratio (Knuth, The Art of Computer Programming 6.4)
_DECK = 100
_SPACING = 50  # microseconds between packets
_ASKS = (3, 24, 45)
_SERVER_BYTES = 1200
_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"


class Kind(NamedTuple):
    """One sort of opening: its flows in a hundred, its server port, what makes its payloads, whether they carry a name."""

    share: int
    port: int
    make: Callable[[random.Random, str], tuple[bytes, ...]]
    """Returns the first payload of a TCP flow, or two datagrams."""
    named: bool = True


def _queries(chance: random.Random, name: str) -> tuple[bytes, bytes]:
    return dns_query(chance, name, A), dns_query(chance, name, AAAA)


_FULL = (
    Kind(15, 443, lambda chance, name: (short_hello(chance, name),)),
    Kind(15, 443, lambda chance, name: (long_hello(chance, name),)),
    Kind(30, 80, lambda chance, name: (http_request(chance, name),)),
    Kind(25, 8388, lambda chance, _: (chance.randbytes(chance.randint(100, 1400)),), named=False),
    Kind(15, 53, _queries),
)
_LEAN = (
    Kind(30, 443, lambda chance, name: (short_hello(chance, name),)),
    Kind(30, 80, lambda chance, name: (lean_request(chance, name),)),
    Kind(25, 8388, lambda chance, _: (chance.randbytes(chance.randint(100, 200)),), named=False),
    Kind(15, 53, _queries),
)


def openings(seed: int, packets: int = 200_000) -> Iterator[bytes]:
    """Yield a capture of flows of two packets each: `packets` of them, rounded up to whole flows.

    Of a hundred flows 30 are a SYN and a ClientHello (half of 250 bytes, half of 1.7 kB), 30 a SYN and a GET request, 25 a SYN and 100
    to 1,400 random bytes, 15 the A and AAAA queries that a resolver sends from one port. A hundred flows at a time are interleaved.
    """
    chance = random.Random(seed)
    flows = -(-packets // 2)
    yield from _opened(seed, (deal for _ in range(0, flows, _DECK) for deal in _deal(chance, _FULL)), flows)


def many_flows(seed: int, flows: int) -> Iterator[bytes]:
    """Yield a capture of any number of flows, two packets each, in constant memory: about 300 bytes a flow on average.

    The mix is that of `openings` with short payloads only, and 4,000 payloads come again and again, each time between other ends.
    """
    chance = random.Random(seed)
    pool = [deal for _ in range(40) for deal in _deal(chance, _LEAN)]
    yield from _opened(seed, (pool[index % len(pool)] for index in count()), flows)


def established(seed: int, packets: int = 200_000) -> Iterator[bytes]:
    """Yield a capture of flows of 64 packets each: `packets` of them, rounded up to whole flows.

    A quarter of the flows begin with a short ClientHello, a quarter with a long one, half with a GET request; then the server sends
    1,200 bytes a packet and the client acknowledges every second one. One packet in twenty is the client's and has data. A hundred
    flows at a time are interleaved.
    """
    chance = random.Random(seed)
    blobs = [b"\x17\x03\x03\x04\xab" + chance.randbytes(_SERVER_BYTES - 5) for _ in range(64)]  # TLS records of application data
    flows = -(-packets // FLOW_PACKETS)
    clock = count(0, _SPACING)
    yield FILE_HEADER
    for start in range(0, flows, _DECK):
        talks = [_conversation(clock, seed, index, chance, blobs) for index in range(start, min(start + _DECK, flows))]
        for records in zip(*talks, strict=True):
            yield b"".join(records)


def quic(seed: int, packets: int, pool: int = 500) -> Iterator[bytes]:
    """Yield a capture of QUIC v1 client Initials, each the only packet of its flow, from a port above that of the server.

    `pool` of them are distinct, connection ID, keys and name; they come again and again between other ends. Needs `cryptography`.
    """
    chance = random.Random(seed)
    initials = quic_initials(chance, [LISTED if index % 50 == 0 else random_name(chance) for index in range(pool)])
    clock = count(0, _SPACING)
    yield FILE_HEADER
    for start in range(0, packets, _DECK):
        ends = (_ends(seed, index, 443) for index in range(start, min(start + _DECK, packets)))
        yield b"".join(udp_record(next(clock), client, server, initials[(start + at) % pool]) for at, (client, server) in enumerate(ends))


def _ends(seed: int, index: int, port: int) -> tuple[End, End]:
    """Return client and server of flow `index`: every pair comes once in 2**32 flows."""
    mixed = (index * _SPREAD + seed * 0x85EBCA6B) & 0xFFFFFFFF
    return End(_CLIENTS | mixed >> 16, 32_768 + mixed % 28_001), End(_SERVERS | mixed & 0xFFFF, port)


def _deal(chance: random.Random, kinds: tuple[Kind, ...]) -> list[tuple[int, tuple[bytes, ...]]]:
    """Return port and payloads of a hundred flows, shuffled, two of the named ones with the listed name."""
    deck = [kind for kind in kinds for _ in range(kind.share)]
    chance.shuffle(deck)
    listed = chance.sample([place for place, kind in enumerate(deck) if kind.named], 2)
    return [(kind.port, kind.make(chance, LISTED if place in listed else random_name(chance))) for place, kind in enumerate(deck)]


def _opened(seed: int, deals: Iterator[tuple[int, tuple[bytes, ...]]], flows: int) -> Iterator[bytes]:
    """Yield the file header, then a hundred flows at a time: the first packets of all, then the second ones."""
    clock = count(0, _SPACING)
    yield FILE_HEADER
    for start in range(0, flows, _DECK):
        hand = [
            (*_ends(seed, index, port), payloads)
            for index, (port, payloads) in zip(range(start, min(start + _DECK, flows)), deals, strict=False)
        ]
        yield b"".join([_opening(next(clock), *flow, place) for place in (0, 1) for flow in hand])


def _opening(tick: int, client: End, server: End, payloads: tuple[bytes, ...], place: int) -> bytes:
    if len(payloads) > 1:
        return udp_record(tick, client, server, payloads[place])
    seq = _first_number(client, server)
    if place == 0:
        return tcp_record(tick, client, server, Segment(SYN, seq))
    return tcp_record(tick, client, server, Segment(PSH | ACK, seq + 1, _first_number(server, client) + 1, payloads[0]))


def _first_number(sender: End, receiver: End) -> int:
    """Return an initial sequence number, in the lower half of the space so that no conversation here wraps round."""
    return (sender.address * _SPREAD + receiver.address + sender.port) & 0x7FFFFFFF


def _conversation(clock: Iterator[int], seed: int, index: int, chance: random.Random, blobs: list[bytes]) -> Iterator[bytes]:
    """Yield the 64 records of one flow, each at the tick at which it is asked for."""
    secure = index % 2 == 0
    client, server = _ends(seed, index, 443 if secure else 80)
    asks = _requests(index, chance, secure=secure)
    seq, ack = _first_number(client, server), _first_number(server, client)
    yield tcp_record(next(clock), client, server, Segment(SYN, seq))
    yield tcp_record(next(clock), server, client, Segment(SYN | ACK, ack, seq + 1))
    seq, ack = seq + 1, ack + 1
    yield tcp_record(next(clock), client, server, Segment(ACK, seq, ack))
    for step in range(3, FLOW_PACKETS):
        if step in asks:
            yield tcp_record(next(clock), client, server, Segment(PSH | ACK, seq, ack, asks[step]))
            seq += len(asks[step])
        elif step % 3 == 0:
            yield tcp_record(next(clock), client, server, Segment(ACK, seq, ack))
        else:
            data = blobs[(index + step) % len(blobs)]
            if not secure and step - 1 in asks:
                data = _PAGE + data[len(_PAGE) :]
            yield tcp_record(next(clock), server, client, Segment(ACK, ack, seq, data))
            ack += _SERVER_BYTES


def _requests(index: int, chance: random.Random, *, secure: bool) -> dict[int, bytes]:
    """Return what the client of an established flow says, by step: three times, in every fifth flow four times, 3.2 of 64 on average."""
    steps = (*_ASKS, FLOW_PACKETS - 1) if index % 5 == 0 else _ASKS
    name = LISTED if index % 150 in (0, 50, 101) else random_name(chance)  # one of a short hello, one of a long, one request
    if not secure:
        return {step: http_request(chance, name) for step in steps}
    hello = short_hello if index % 4 == 0 else long_hello
    return {step: hello(chance, name) if step == _ASKS[0] else b"\x17\x03\x03\x01\x00" + chance.randbytes(256) for step in steps}
