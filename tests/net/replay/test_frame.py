"""A plain frame read where it stands gives the packet that the long way reads, but for what nothing of a replay looks at."""

import random

import pytest

from crenel.bench.traffic import established, openings
from crenel.net.replay.frame import tcp_at, udp_at
from crenel.wire.capture import open_capture
from crenel.wire.ip import parse_packet
from crenel.wire.packet import TCP, Packet
from crenel.wire.pcap import PcapReader

_FIELDS = (
    "version", "src", "dst", "proto", "sport", "dport", "seq", "ack", "flags", "window", "payload", "ttl", "ident", "ip_flags", "options",
    "udp_length",
)


@pytest.mark.parametrize("make", [openings, established])
def test_as_parsed(make: object) -> None:
    reader = open_capture(b"".join((openings if make is openings else established)(2, 400)))
    assert isinstance(reader, PcapReader)
    buffer = bytes(reader.buffer)
    for _, _, _, offset, captured, _ in reader.records():
        long = parse_packet(buffer, offset + 14, offset + captured)
        assert isinstance(long, Packet)
        short = (tcp_at if long.proto == TCP else udp_at)(buffer, offset)
        assert [getattr(short, name) for name in _FIELDS] == [getattr(long, name) for name in _FIELDS]


def test_a_wrong_length_of_udp_is_told() -> None:
    frame = bytearray(random.Random(3).randbytes(14 + 28 + 9))
    frame[14:18] = bytes((0x45, 0, 0, 37))
    frame[23] = 17
    for claimed, told in ((17, None), (16, 16), (0, 0)):
        frame[38:40] = claimed.to_bytes(2, "big")
        assert udp_at(bytes(frame), 0).udp_length == told


def test_a_payload_that_was_cut_out_is_kept_as_it_is() -> None:
    reader = open_capture(b"".join(established(2, 64)))
    assert isinstance(reader, PcapReader)
    payload = b"the same object"
    assert tcp_at(bytes(reader.buffer), reader.first_record + 16, payload).payload is payload
