"""Frames of every link type in, the innermost IP packet out: against frames built by scapy, and against the labels of real captures."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.ip import parse_packet, serialise
from crenel.wire.link import innermost, ip_offset
from crenel.wire.packet import Packet, udp_packet
from crenel.wire.result import Unparseable
from tests.wire.captures import real_captures, walk
from tests.wire.oracle import scapy

INNER_4 = serialise(udp_packet(bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2)), 1111, 53, b"inside"))
INNER_6 = serialise(udp_packet(bytes(15) + b"\1", bytes(15) + b"\2", 1111, 53, b"inside"))
MACS = bytes.fromhex("020000000001020000000002")
LLC_SNAP = bytes.fromhex("aaaa03000000")

ETHERNET, PPP, PPP_HDLC, CISCO_HDLC, COOKED, COOKED_2 = 1, 9, 50, 104, 113, 276
LOOPBACK, LOOP, WIFI, RADIOTAP, PPI, NFLOG, FRAME_RELAY, FDDI, SLIP = 0, 108, 105, 127, 192, 239, 107, 10, 8
RAW = (12, 14, 101)


def h(text: str) -> bytes:
    return bytes.fromhex(text)


FRAMES_4: list[tuple[str, int, bytes]] = [
    ("ethernet", ETHERNET, MACS + h("0800")),
    ("vlan", ETHERNET, MACS + h("8100 0064 0800")),
    ("qinq", ETHERNET, MACS + h("88a8 0064 8100 0065 0800")),
    ("old qinq", ETHERNET, MACS + h("9100 0064 9200 0065 0800")),
    ("vn-tag", ETHERNET, MACS + h("8926 00000001 8100 0065 0800")),
    ("snap", ETHERNET, MACS + (len(INNER_4) + 8).to_bytes(2, "big") + LLC_SNAP + h("0800")),
    ("snap in vlan", ETHERNET, MACS + h("8100 0064") + (len(INNER_4) + 8).to_bytes(2, "big") + LLC_SNAP + h("0800")),
    ("sap of ip", ETHERNET, MACS + (len(INNER_4) + 3).to_bytes(2, "big") + h("060603")),
    ("bridged in snap", ETHERNET, MACS + (len(INNER_4) + 22).to_bytes(2, "big") + h("aaaa03 0080c2 0007") + MACS + h("0800")),
    ("pppoe", ETHERNET, MACS + h("8864 11 00 0001") + (len(INNER_4) + 2).to_bytes(2, "big") + h("0021")),
    ("mpls", ETHERNET, MACS + h("8847 00010040 00011140")),
    ("mpls pseudowire", ETHERNET, MACS + h("8847 00011140 00000000") + MACS + h("0800")),
    ("ppp in hdlc framing", PPP, h("ff03 0021")),
    ("ppp", PPP, h("0021")),
    ("ppp, protocol in one byte", PPP, h("21")),
    ("mpls in ppp", PPP, h("0281 00011140")),
    ("ppp hdlc", PPP_HDLC, h("ff03 0021")),
    ("cisco in ppp hdlc", PPP_HDLC, h("0f00 0800")),
    ("cisco hdlc", CISCO_HDLC, h("0f00 0800")),
    ("cooked", COOKED, h("0000 0001 0006 020000000001 0000 0800")),
    ("cooked vlan", COOKED, h("0000 0001 0006 020000000001 0000 8100 0064 0800")),
    ("cooked 2", COOKED_2, h("0800 0000 00000002 0001 00 06 0200000000010000")),
    ("cooked llc", COOKED, h("0000 0001 0006 020000000001 0000 0004") + LLC_SNAP + h("0800")),
    ("loopback little", LOOPBACK, h("02000000")),
    ("loopback big", LOOPBACK, h("00000002")),
    ("loop", LOOP, h("00000002")),
    ("frame relay", FRAME_RELAY, h("1841 03 cc")),
    ("frame relay snap", FRAME_RELAY, h("1841 03 00 80 000000 0800")),
    ("fddi", FDDI, h("50") + MACS + LLC_SNAP + h("0800")),
    ("slip", SLIP, bytes(16)),
    ("ppi", PPI, h("00 00 0800 01000000") + MACS + h("0800")),
    ("nflog", NFLOG, h("02 00 002a  0500 0a00 00 000000") + (len(INNER_4) + 4).to_bytes(2, "little") + h("0900")),
    ("nflog big", NFLOG, h("02 00 002a  0008 0001 00000300") + (len(INNER_4) + 4).to_bytes(2, "big") + h("0009")),
    ("802.11", WIFI, h("0801 0000") + MACS + h("020000000003 0000") + LLC_SNAP + h("0800")),
    ("radiotap", RADIOTAP, h("00 00 0800 00000000 0801 0000") + MACS + h("020000000003 0000") + LLC_SNAP + h("0800")),
    *((f"raw {link_type}", link_type, b"") for link_type in (*RAW, 228)),
]
FRAMES_6: list[tuple[str, int, bytes]] = [
    ("ethernet", ETHERNET, MACS + h("86dd")),
    ("ppp", PPP, h("0057")),
    ("mpls", ETHERNET, MACS + h("8848 00011140")),
    ("frame relay", FRAME_RELAY, h("1841 03 8e")),
    *((f"loopback {family}", LOOPBACK, family.to_bytes(4, "little")) for family in (10, 23, 24, 28, 30)),
    *((f"raw {link_type}", link_type, b"") for link_type in (*RAW, 229)),
]
FRAMES = [(f"{name} v4", link, head, INNER_4) for name, link, head in FRAMES_4] + [
    (f"{name} v6", link, head, INNER_6) for name, link, head in FRAMES_6
]
CASES = pytest.mark.parametrize(("link_type", "head", "inner"), [case[1:] for case in FRAMES], ids=[case[0] for case in FRAMES])


@CASES
def test_the_packet_is_found_wherever_the_frame_stands(link_type: int, head: bytes, inner: bytes) -> None:
    frame = head + inner
    buffer = b"before" + frame + b"after"
    assert ip_offset(link_type, buffer, 6, len(frame)) == (6 + len(head), 6 + len(frame))


@CASES
def test_a_frame_cut_anywhere_is_undecoded_or_the_same_packet(link_type: int, head: bytes, inner: bytes) -> None:
    frame = head + inner
    for length in range(len(frame)):
        found = ip_offset(link_type, frame, 0, length)
        if not isinstance(found, Unparseable):
            assert found == (len(head), length)
            assert length >= len(head) + (20 if inner is INNER_4 else 40)


def test_padding_behind_a_stated_length_is_no_part_of_the_packet() -> None:
    frame = MACS + h("8864 11 00 0001") + (len(INNER_4) + 2).to_bytes(2, "big") + h("0021") + INNER_4
    assert ip_offset(ETHERNET, frame + bytes(20), 0, len(frame) + 20) == (22, len(frame))


def built() -> dict[str, Callable[[Any], Any]]:
    """Return frames for scapy to build round a packet."""
    s = scapy()
    ether = s.Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    outer_4, outer_6 = s.IP(src="198.51.100.1", dst="198.51.100.2"), s.IPv6(src="2001:db8::1", dst="2001:db8::2")
    return {
        "ip in ip": lambda inner: ether / outer_4 / inner,
        "ip in ipv6": lambda inner: ether / outer_6 / inner,
        "three deep": lambda inner: ether / outer_4 / outer_6 / outer_4 / inner,
        "gre": lambda inner: ether / outer_4 / s.GRE() / inner,
        "gre over ipv6": lambda inner: ether / outer_6 / s.GRE() / inner,
        "gre with checksum": lambda inner: ether / outer_4 / s.GRE(chksum_present=1) / inner,
        "gre with key": lambda inner: ether / outer_4 / s.GRE(key_present=1, key=7) / inner,
        "gre with all": lambda inner: ether / outer_4 / s.GRE(chksum_present=1, key_present=1, seqnum_present=1) / inner,
        "gre in gre": lambda inner: ether / outer_4 / s.GRE() / outer_4 / s.GRE() / inner,
        "ethernet in gre": lambda inner: ether / outer_4 / s.GRE(proto=0x6558) / ether / s.Dot1Q(vlan=9) / inner,
        "mpls in gre": lambda inner: ether / outer_4 / s.GRE(proto=0x8847) / s.MPLS(label=5, s=1) / inner,
        "ppp in gre": lambda inner: ether / outer_4 / s.GRE_PPTP(seqnum_present=1, acknum_present=1, call_id=3) / s.PPP(proto=0x21) / inner,
        "erspan 1": lambda inner: ether / outer_4 / s.GRE(proto=0x88BE) / ether / inner,
        "erspan 2": lambda inner: ether / outer_4 / s.GRE(proto=0x88BE, seqnum_present=1) / s.Raw(bytes(8)) / ether / inner,
        "erspan 3": lambda inner: ether / outer_4 / s.GRE(proto=0x22EB, seqnum_present=1) / s.Raw(bytes(12)) / ether / inner,
        "erspan 3 with more": lambda inner: (
            ether / outer_4 / s.GRE(proto=0x22EB, seqnum_present=1) / s.Raw(bytes(11) + b"\1" + bytes(8)) / ether / inner
        ),
        "ether ip": lambda inner: ether / s.IP(src="198.51.100.1", proto=97) / s.Raw(b"\x30\x00") / ether / inner,
        "mpls in ip": lambda inner: ether / s.IP(src="198.51.100.1", proto=137) / s.MPLS(label=5, s=1) / inner,
        "behind options": lambda inner: ether / s.IP(src="198.51.100.1", options=[s.IPOption_NOP()] * 4) / inner,
        "behind extension headers": lambda inner: ether / outer_6 / s.IPv6ExtHdrHopByHop() / s.IPv6ExtHdrDestOpt() / s.IPv6ExtHdrRouting() / inner,
        "behind an authentication header": lambda inner: ether / outer_4 / s.AH(payloadlen=4, icv=bytes(12), nh=4) / inner,
    }  # fmt: skip


@pytest.mark.parametrize("name", [
    "ip in ip", "ip in ipv6", "three deep", "gre", "gre over ipv6", "gre with checksum", "gre with key", "gre with all", "gre in gre",
    "ethernet in gre", "mpls in gre", "ppp in gre", "erspan 1", "erspan 2", "erspan 3", "erspan 3 with more", "ether ip", "mpls in ip",
    "behind options", "behind extension headers", "behind an authentication header",
])  # fmt: skip
def test_the_innermost_packet_wins(name: str) -> None:
    s = scapy()
    inner = s.IP(src="192.0.2.1", dst="192.0.2.2") / s.UDP(sport=5, dport=6) / s.Raw(b"inside")
    frame = bytes(built()[name](inner))
    found = ip_offset(ETHERNET, frame + bytes(9), 0, len(frame) + 9)
    assert not isinstance(found, Unparseable)
    assert frame[found[0] : found[1]].startswith(bytes(inner))


OUTER = bytes((198, 51, 100, 1)), bytes((198, 51, 100, 2))


@pytest.mark.parametrize(
    ("proto", "payload"),
    [
        (47, h("0000 1234") + INNER_4),
        (47, h("4000 0800 00000000") + INNER_4),
        (47, h("0007 0800") + INNER_4),
        (47, h("0000 0800") + INNER_4[:19]),
        (47, b"\0\0"),
        (4, h("55") + INNER_4[1:]),
        (4, b""),
        (41, INNER_6[:39]),
        (50, INNER_4),
    ],
)
def test_the_outer_packet_stands_where_its_content_is_no_packet(proto: int, payload: bytes) -> None:
    outer = serialise(Packet(4, *OUTER, proto, payload=payload))
    assert innermost(outer, 0, len(outer)) == (0, len(outer))


@pytest.mark.parametrize("fragment", [{"ip_flags": 1}, {"frag_offset": 8}])
def test_nobody_looks_into_a_fragment_before_it_is_whole(fragment: dict[str, int]) -> None:
    outer = serialise(Packet(4, *OUTER, 4, payload=INNER_4, **fragment))  # type: ignore[arg-type]  # the values are integers
    assert innermost(outer, 0, len(outer)) == (0, len(outer))
    outer_6 = serialise(Packet(6, bytes(16), bytes(16), 4, payload=INNER_4, **fragment))  # type: ignore[arg-type]  # as above
    assert innermost(outer_6, 0, len(outer_6)) == (0, len(outer_6))


@pytest.mark.parametrize(
    ("link_type", "frame", "word"),
    [
        (ETHERNET, MACS + h("0806") + bytes(28), "0x0806"),
        (ETHERNET, MACS + h("0800") + b"\x55" + INNER_4[1:], "version 5"),
        (ETHERNET, MACS + h("86dd") + INNER_4 + bytes(20), "version 4"),
        (ETHERNET, MACS + h("0026") + h("424203") + bytes(35), "LLC"),
        (ETHERNET, MACS + h("0030") + h("aaaa03 00000c 2000") + bytes(40), "SNAP"),
        (COOKED, h("0000 0338 0000 0000000000000000 0800") + INNER_4, "netlink"),
        (LOOPBACK, h("07000000") + INNER_4, "family 7"),
        (PPP, h("c021") + INNER_4, "0xc021"),
        (FRAME_RELAY, h("1841 03 82") + INNER_4, "0x82"),
        (PPI, h("00 00 0800 c0000000") + INNER_4, "192"),
        (NFLOG, h("02 00 0000  0800 0100 00000000"), "without a packet"),
        (147, INNER_4, "link type 147"),
        (101, h("00") + INNER_4, "version 0"),
    ],
)
def test_what_is_undecoded_says_why(link_type: int, frame: bytes, word: str) -> None:
    found = ip_offset(link_type, frame, 0, len(frame))
    assert isinstance(found, Unparseable)
    assert word in found.because


def test_a_frame_of_tags_alone_is_given_up() -> None:
    frame = MACS + h("8100 0001") * 20_000
    found = ip_offset(ETHERNET, frame, 0, len(frame))
    assert isinstance(found, Unparseable)
    assert "layers" in found.because


def test_matryoshka_ends_at_some_layer() -> None:
    packet = INNER_4
    for _ in range(60):
        packet = serialise(Packet(4, *OUTER, 4, payload=packet))
    found = innermost(packet, 0, len(packet))
    assert not isinstance(found, Unparseable)
    assert 0 < found[0] < len(packet) - len(INNER_4)


LINK_TYPES = st.sampled_from([0, 1, 8, 9, 10, 12, 50, 51, 100, 101, 104, 105, 107, 108, 113, 127, 192, 228, 229, 239, 276, 999])


@given(LINK_TYPES, st.binary(max_size=120), st.integers(0, 20), st.integers(0, 150))
def test_any_frame_gives_a_span_inside_it_or_a_reason(link_type: int, buffer: bytes, offset: int, length: int) -> None:
    check_span(link_type, buffer, offset, length)


@given(st.sampled_from(FRAMES), st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), max_size=5), st.integers(0, 90))
def test_any_damaged_frame_gives_a_span_inside_it_or_a_reason(
    case: tuple[str, int, bytes, bytes], changes: list[tuple[int, int]], length: int
) -> None:
    frame = bytearray(case[2] + case[3])
    for at, value in changes:
        frame[at % len(frame)] = value
    check_span(case[1], bytes(frame), 0, length)


def check_span(link_type: int, buffer: bytes, offset: int, length: int) -> None:
    found = ip_offset(link_type, buffer, offset, length)
    if isinstance(found, Unparseable):
        assert found.because
        return
    start, end = found
    assert offset <= start < end <= min(offset + length, len(buffer))
    assert isinstance(parse_packet(buffer, start, end), Packet)


DIFFERING = {
    # The labels drop an IP header that lies about itself as "bad-ip"; here the packet is kept, with the lie in it.
    "fuzz-2006-06-26-2594.pcap": "an IPv4 header with a wrong length before UDP",
    "ipv4-truncated-broken-header.pcap": "an IPv4 header length of less than 20",
    "ipv4-malformed.pcap": "an IPv4 header length of less than 20",
    "LINKTYPE_IPV6_invalid.pcap": "an IPv4 packet under a link type for IPv6",
    "21_ipv4_ihl_exceeds_packet_length.pcap": "an IPv4 header length beyond the packet",
    # An authentication header over IPv4 is the transport; the labels look through it.
    "02_ipv4_ah_udp.pcap": "AH over IPv4",
    "06_ipv4_ah_same_spi_two_packets.pcap": "AH over IPv4",
    "08_ipv4_ah_same_spi_different_sequence.pcap": "AH over IPv4",
    # An extension header that claims more bytes than there are is where the chain ends; the labels jump to the end.
    "19_ah_truncated_icv.pcap": "AH over IPv6, cut",
    "ipv6-mobility-dst-opts.pcap": "destination options longer than the packet",
    # A stated length is believed here.
    "19_llc_snap_declared_short_with_captured_tail.pcap": "IEEE 802.3 length shorter than the frame",
    # Decoded here, not by the labels.
    "vntag_vlan_sandwich_clean.pcap": "VN-tag",
    "bootp_asan.pcap": "bits for a frame check sequence above the link type",
}


def test_packets_by_transport_of_every_real_capture() -> None:
    differing = set()
    for row, content in real_captures():
        counts: Counter[int] = Counter()
        for _, _, link_type, offset, captured, _ in walk(content)[0]:
            span = ip_offset(link_type, content, offset, captured)
            packet = span if isinstance(span, Unparseable) else parse_packet(content, *span)
            if isinstance(packet, Packet) and packet.frag_offset == 0:
                counts[packet.proto] += 1
        if (counts[6], counts[17]) != (int(row["tcp_packets"]), int(row["udp_packets"])):
            differing.add(row["data_path"].rpartition("/")[2])
    assert differing == set(DIFFERING)
