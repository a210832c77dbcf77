"""Rules about addresses and ports: which packets they look at, from which side, and whose end they compare."""

import pytest

from crenel.flow.key import CLASS_ACK, CLASS_LOAD, CLASS_RST, CLASS_SECOND, CLASS_SYN
from crenel.wall.match import AddressList, Entry
from crenel.wall.readers.header import IpAddress, TcpPort
from crenel.wire.packet import ACK, RST, SYN, Packet, tcp_packet

CLIENT, SERVER = bytes((198, 51, 100, 1)), bytes((192, 0, 2, 1))
LISTED = AddressList([Entry("192.0.2.1:443")], "here")


def packet(*, second: bool = False, flags: int = SYN, payload: bytes = b"", port: int = 443) -> Packet:
    if second:
        return tcp_packet(SERVER, CLIENT, port, 50000, flags=flags, payload=payload)
    return tcp_packet(CLIENT, SERVER, 50000, port, flags=flags, payload=payload)


def test_an_address_is_named_with_the_entry_that_covers_it() -> None:
    reader = IpAddress(list="addresses", side="server", packets=("syn", "syn-ack"))
    for second, flags in ((False, SYN), (True, SYN | ACK)):
        found, entry = reader.read_header(packet(second=second, flags=flags), LISTED, second=second, opened_inside=True)
        assert entry == Entry("192.0.2.1:443")
        assert found is not None
        assert (found.reads, found.value) == ("ip.address", b"192.0.2.1")
    assert reader.read_header(packet(port=80), LISTED, second=False, opened_inside=True) == (None, None)
    other = IpAddress(list="addresses", side="client", packets=("syn", "syn-ack"))
    assert other.read_header(packet(), LISTED, second=False, opened_inside=True) == (None, None)
    opened = AddressList([Entry("198.51.100.1")], "here")
    assert other.read_header(packet(), opened, second=False, opened_inside=True)[1] == Entry("198.51.100.1")


@pytest.mark.parametrize(
    ("kind", "second", "flags", "payload", "seen"),
    [
        ("syn", False, SYN, b"", True), ("syn", True, SYN, b"", False), ("syn", False, SYN | ACK, b"", False), ("syn", False, SYN | RST, b"", False),
        ("syn-ack", True, SYN | ACK, b"", True), ("syn-ack", False, SYN | ACK, b"", False), ("syn-ack", True, ACK, b"", False),
        ("client", False, ACK, b"", True), ("client", True, ACK, b"", False), ("server", True, ACK, b"", True), ("server", False, ACK, b"", False),
        ("client-data", False, ACK, b"x", True), ("client-data", False, ACK, b"", False), ("server-data", True, ACK, b"x", True),
        ("server-data", True, ACK, b"", False),
    ],
)
def test_which_packets_a_rule_looks_at(kind: str, second: bool, flags: int, payload: bytes, seen: bool) -> None:
    reader = TcpPort(ports=(443,), packets=(kind,))  # type: ignore[arg-type]  # the kinds are spelled out above
    found, entry = reader.read_header(packet(second=second, flags=flags, payload=payload), None, second=second, opened_inside=True)
    assert (found is not None) == seen
    assert entry is None
    number = (CLASS_SECOND if second else 0) | (CLASS_LOAD if payload else 0)
    number |= (CLASS_SYN if flags & SYN else 0) | (CLASS_ACK if flags & ACK else 0) | (CLASS_RST if flags & RST else 0)
    assert bool(reader.classes() >> number & 1) == seen


def test_flows_from_outside_may_be_looked_at_otherwise() -> None:
    reader = TcpPort(ports=(443, 8443), packets=("syn", "syn-ack"), packets_from_outside=("syn-ack",))
    assert reader.read_header(packet(), None, second=False, opened_inside=True)[0] is not None
    assert reader.read_header(packet(), None, second=False, opened_inside=False)[0] is None
    assert reader.read_header(packet(second=True, flags=SYN | ACK), None, second=True, opened_inside=False)[0] is not None
    assert reader.read_header(packet(port=80), None, second=False, opened_inside=True)[0] is None
    narrow = TcpPort(ports=(443,), packets=("syn",), packets_from_outside=("server",))
    assert narrow.classes() == TcpPort(ports=(443,), packets=("syn", "server")).classes()


def test_whether_any_packet_between_two_ends_could_be_covered() -> None:
    ends = (SERVER, 443, CLIENT, 50000)
    assert IpAddress(list="addresses", side="server", packets=("syn",)).concerns(*ends, LISTED)
    assert not IpAddress(list="addresses", side="client", packets=("syn",)).concerns(*ends, LISTED)
    assert TcpPort(ports=(443,), packets=("syn",)).concerns(*ends, None)
    assert not TcpPort(ports=(80,), packets=("syn",)).concerns(*ends, None)
