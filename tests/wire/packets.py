"""Packets for properties: any packet that can be written, and the bytes of packets that went wrong on the way."""

import msgspec
from hypothesis import strategies as st

from crenel.wire.extension import fragment_header
from crenel.wire.ip import serialise
from crenel.wire.packet import ICMP, ICMPV6, IP_MF, TCP, UDP, Packet

SHORT = st.integers(0, 0xFFFF)
LONG = st.integers(0, 0xFFFFFFFF)
BYTE = st.integers(0, 0xFF)


def words(most: int) -> st.SearchStrategy[bytes]:
    """Bytes in whole words of four."""
    return st.binary(max_size=most * 4).map(lambda data: data[: len(data) // 4 * 4])


EXTENSIONS = st.lists(
    st.sampled_from(
        [(0, bytes(8)), (60, bytes((0, 1)) + bytes(14)), (43, bytes(8)), (51, bytes((0, 2)) + bytes(14)), (44, fragment_header(0, 0, 1, 9))]
    ),
    max_size=3,
)


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """Draw a packet that says nothing false: no length, offset or checksum is stated."""
    proto = draw(st.sampled_from([TCP, UDP, ICMP, ICMPV6, 132]))
    version = draw(st.sampled_from([4, 6]))
    size = 4 if version == 4 else 16
    common = draw(
        st.fixed_dictionaries(
            {
                "src": st.binary(min_size=size, max_size=size),
                "dst": st.binary(min_size=size, max_size=size),
                "payload": st.binary(max_size=60),
                "ttl": BYTE,
                "tos": BYTE,
            }
        )
    )
    transports: dict[int, dict[str, st.SearchStrategy[object]]] = {
        TCP: {"sport": SHORT, "dport": SHORT, "seq": LONG, "ack": LONG, "flags": BYTE, "window": SHORT, "urgent": SHORT,
              "reserved": st.integers(0, 15), "options": words(10)},
        UDP: {"sport": SHORT, "dport": SHORT},
        ICMP: {"icmp_type": BYTE, "icmp_code": BYTE, "icmp_rest": LONG},
        ICMPV6: {"icmp_type": BYTE, "icmp_code": BYTE, "icmp_rest": LONG},
        132: {},
    }  # fmt: skip
    fields = draw(st.fixed_dictionaries(transports[proto]))
    if version == 4:
        network = draw(st.fixed_dictionaries({"ident": SHORT, "ip_flags": st.integers(0, 7), "ip_options": words(10)}))
        return msgspec.structs.replace(Packet(4, b"", b"", proto), **common, **fields, **network)
    headers, following, chain = b"", proto, draw(EXTENSIONS)
    fragmented: dict[str, int] = {}
    for kind, header in reversed(chain):
        headers, following = bytes((following,)) + header[1:] + headers, kind
        if kind == 44:
            fragmented = {"ip_flags": IP_MF, "ident": 9}
    if [kind for kind, _ in chain].count(44) > 1:
        headers, following, fragmented = b"", proto, {}
    network = {"flow_label": draw(st.integers(0, 0xFFFFF)), "ip_options": headers, "next_header": following if headers else None, **fragmented}
    return msgspec.structs.replace(Packet(6, b"", b"", proto), **common, **fields, **network)


LIES = st.fixed_dictionaries(
    {},
    optional={
        "data_offset": st.integers(0, 15), "header_words": st.integers(0, 15), "total_length": SHORT, "udp_length": SHORT, "checksum": SHORT,
        "ip_checksum": SHORT, "frag_offset": st.integers(0, 8191).map(lambda units: units * 8), "trailer": st.binary(max_size=20),
        "headless": st.booleans(), "options": st.binary(max_size=50), "next_header": BYTE, "ip_flags": st.integers(0, 7),
    },
)  # fmt: skip


@st.composite
def wire_bytes(draw: st.DrawFn) -> bytes:
    """Draw the bytes of a packet that lies, has bytes changed, or ends early."""
    packet = msgspec.structs.replace(draw(packets()), **draw(LIES))
    data = bytearray(serialise(packet))
    for at, value in draw(st.lists(st.tuples(st.integers(0, 80), BYTE), max_size=4)):
        data[at % len(data)] = value
    return bytes(data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data)
