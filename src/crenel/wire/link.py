"""A captured frame and its link type in, the place of the innermost IP packet out, past every tag, shim and tunnel round it.

Tunnels over UDP (VXLAN, Geneve, GTP, Teredo) stay closed: their outer datagram is an ordinary UDP flow to whoever watches
the path, and only a port number says that there is more inside.
"""

from struct import Struct
from typing import Literal

from crenel.wire.buffer import Buffer
from crenel.wire.result import Unparseable
from crenel.wire.tunnel import BRIDGED, IPV4, IPV6, TUNNELS, Layer, Step, carried, ip_by_version
from crenel.wire.wifi import IEEE802_11, data_of_frame, data_of_radiotap

_TWO = Struct("!H").unpack_from

ETHERNET = 1
"""The link type (LINKTYPE_ETHERNET) that nearly every capture has."""

Span = tuple[int, int]
"""Start and end of an IP packet in the buffer; the end may lie beyond what the packet claims, and before it in a cut frame."""

_IP = frozenset((IPV4, IPV6))
_LLC = 0x0004
_MAX_LAYERS = 32
"""Of the bench: enough for any network, and a frame made of tags alone is soon given up."""
_PPP = 0x880B
_LARGEST_LENGTH = 1500
"""An Ethernet type up to here is the length of an IEEE 802.3 frame."""


def ip_offset(link_type: int, buffer: Buffer, offset: int, length: int) -> Span | Unparseable:
    """Return where the innermost IP packet of the frame at `offset` begins and ends, or why there is none.

    `length` is the number of bytes captured. An IP packet that carries another one in a way that is not understood, or
    that is a fragment, is itself the innermost; after reassembly `innermost` looks on inside.
    """
    end = min(offset + length, len(buffer))
    open_link = _LINKS.get(link_type)
    if open_link is None:
        return Unparseable(f"link type {link_type} is not decoded")
    return _descend(buffer, open_link(buffer, offset, end))


def innermost(buffer: Buffer, start: int, end: int) -> Span | Unparseable:
    """Return the innermost IP packet inside the IP packet from `start` to `end`, which may be that packet itself."""
    return _descend(buffer, ip_by_version(buffer, start, end))


def _descend(buffer: Buffer, step: Step) -> Span | Unparseable:
    found: Span | None = None
    for _ in range(_MAX_LAYERS):
        if isinstance(step, Unparseable):
            return found or step
        kind, position, end = step
        if kind in _IP:
            inside = carried(kind, buffer, position, end)
            if isinstance(inside, Unparseable):
                return found or inside
            found = (position, end)
            kind, position, end = inside
            open_layer = TUNNELS.get(kind)
        else:
            open_layer = _ETHERTYPES.get(kind)
        if open_layer is None:
            return found or Unparseable(f"type {kind:#06x} is not decoded")
        step = open_layer(buffer, position, end)
    return found or Unparseable(f"more than {_MAX_LAYERS} layers before an IP packet")


def _ethernet(buffer: Buffer, position: int, end: int) -> Step:
    if end - position < 14:
        return Unparseable("the Ethernet header is cut")
    return _type_or_length(buffer, position + 12, end)


def _type_or_length(buffer: Buffer, position: int, end: int) -> Step:
    """Read the type field at `position`, or the length that IEEE 802.3 has in its place and which LLC follows."""
    kind: int = _TWO(buffer, position)[0]
    body = position + 2
    if kind > _LARGEST_LENGTH:
        return kind, body, end
    return _LLC, body, min(end, body + kind)


def _tag(length: int) -> Layer:
    """Return the layer that is `length` bytes long and ends with the type or length of what follows (IEEE 802.1Q and its kin)."""

    def open_tag(buffer: Buffer, position: int, end: int) -> Step:
        if end - position < length:
            return Unparseable("a tag is cut")
        return _type_or_length(buffer, position + length - 2, end)

    return open_tag


def _llc(buffer: Buffer, position: int, end: int) -> Step:
    """IEEE 802.2: SNAP (RFC 1042), bridged Ethernet in it (RFC 2684 section 5.2), or the SAP of IP itself."""
    if end - position < 3:
        return Unparseable("the LLC header is cut")
    saps = bytes(buffer[position : position + 3])
    if saps == b"\x06\x06\x03":
        return ip_by_version(buffer, position + 3, end)
    if saps != b"\xaa\xaa\x03":
        return Unparseable(f"LLC service {saps[0]:#04x} is not decoded")
    if end - position < 8:
        return Unparseable("the SNAP header is cut")
    organisation = bytes(buffer[position + 3 : position + 6])
    kind: int = _TWO(buffer, position + 6)[0]
    if organisation in (b"\0\0\0", b"\0\0\xf8"):
        return kind, position + 8, end
    if organisation == b"\x00\x80\xc2" and kind in (1, 7):
        return BRIDGED, position + 8, end
    return Unparseable(f"SNAP organisation {organisation.hex(':')} is not decoded")


def _cooked(buffer: Buffer, position: int, end: int) -> Step:
    """Linux "cooked" capture: a 16-byte header with the type, or a value below 1536 that says which header follows, at its end."""
    if end - position < 16:
        return Unparseable("the cooked header is cut")
    return _cooked_type(_TWO(buffer, position + 2)[0], _TWO(buffer, position + 14)[0], position + 16, end)


def _cooked_2(buffer: Buffer, position: int, end: int) -> Step:
    if end - position < 20:
        return Unparseable("the cooked header is cut")
    return _cooked_type(_TWO(buffer, position + 8)[0], _TWO(buffer, position)[0], position + 20, end)


_ARPHRD_NETLINK = 824


def _cooked_type(hardware: int, kind: int, body: int, end: int) -> Step:
    if hardware == _ARPHRD_NETLINK:
        return Unparseable("a netlink message, no frame")
    return kind, body, end


# AF_INET is 2 everywhere; AF_INET6 is 10 on Linux, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on Darwin, 23 on Windows.
_FAMILIES = {2: IPV4, 10: IPV6, 23: IPV6, 24: IPV6, 28: IPV6, 30: IPV6}


def _loopback(buffer: Buffer, position: int, end: int) -> Step:
    """BSD loopback: an address family in four bytes, in the byte order of whoever captured it (network order for LOOP)."""
    if end - position < 4:
        return Unparseable("the loopback header is cut")
    family = int.from_bytes(buffer[position : position + 4], "little")
    if family > 0xFFFF:
        family = int.from_bytes(buffer[position : position + 4], "big")
    kind = _FAMILIES.get(family)
    if kind is None:
        return Unparseable(f"address family {family} is not decoded")
    return kind, position + 4, end


# PPP protocol numbers: IPv4, IPv6, MPLS unicast and multicast.
_PPP_PROTOCOLS = {0x21: IPV4, 0x57: IPV6, 0x0281: 0x8847, 0x0283: 0x8848}


def _ppp(buffer: Buffer, position: int, end: int) -> Step:
    """PPP with or without the address and control bytes of HDLC, the protocol in one byte or two (RFC 1661 section 6.5)."""
    if bytes(buffer[position : min(position + 2, end)]) == b"\xff\x03":
        position += 2
    if position < end and buffer[position] & 1:
        protocol, body = buffer[position], position + 1
    elif end - position >= 2:
        protocol, body = _TWO(buffer, position)[0], position + 2
    else:
        return Unparseable("the PPP header is cut")
    kind = _PPP_PROTOCOLS.get(protocol)
    if kind is None:
        return Unparseable(f"PPP protocol {protocol:#06x} is not decoded")
    return kind, body, end


def _ppp_or_hdlc(buffer: Buffer, position: int, end: int) -> Step:
    """LINKTYPE_PPP_HDLC: PPP after ff 03, Cisco's HDLC after 0f or 8f."""
    if position < end and buffer[position] in (0x0F, 0x8F):
        return _cisco_hdlc(buffer, position, end)
    return _ppp(buffer, position, end)


def _cisco_hdlc(buffer: Buffer, position: int, end: int) -> Step:
    if end - position < 4:
        return Unparseable("the HDLC header is cut")
    return _TWO(buffer, position + 2)[0], position + 4, end


def _pppoe(buffer: Buffer, position: int, end: int) -> Step:
    """PPP over Ethernet, session stage (RFC 2516 section 4)."""
    if end - position < 6:
        return Unparseable("the PPPoE header is cut")
    body = position + 6
    return _PPP, body, min(end, body + _TWO(buffer, position + 4)[0])


def _frame_relay(buffer: Buffer, position: int, end: int) -> Step:
    """Frame relay with the multiprotocol header of RFC 2427: address, control 3, perhaps a zero byte, NLPID."""
    while position < end and not buffer[position] & 1:
        position += 1
    position += 2
    if position < end and buffer[position] == 0:
        position += 1
    if position >= end:
        return Unparseable("the frame relay header is cut")
    if buffer[position] == 0x80 and end - position >= 6:
        return _TWO(buffer, position + 4)[0], position + 6, end
    if buffer[position] in (0xCC, 0x8E):
        return ip_by_version(buffer, position + 1, end)
    return Unparseable(f"frame relay NLPID {buffer[position]:#04x} is not decoded")


def _fddi(buffer: Buffer, position: int, end: int) -> Step:
    if end - position < 13:
        return Unparseable("the FDDI header is cut")
    return _LLC, position + 13, end


def _mpls(buffer: Buffer, position: int, end: int) -> Step:
    """Labels down to the bottom of the stack (RFC 3032), then IP, or an Ethernet pseudowire with its control word (RFC 4448)."""
    while end - position >= 4:
        bottom = buffer[position + 2] & 1
        position += 4
        if bottom:
            break
    else:
        return Unparseable("the MPLS label stack is cut")
    if position < end and buffer[position] >> 4 == 0:
        return BRIDGED, position + 4, end
    return ip_by_version(buffer, position, end)


def _wifi(buffer: Buffer, position: int, end: int) -> Step:
    return _after_wifi(data_of_frame(buffer, position, end), end)


def _radiotap(buffer: Buffer, position: int, end: int) -> Step:
    return _after_wifi(data_of_radiotap(buffer, position, end), end)


def _after_wifi(body: int | Unparseable, end: int) -> Step:
    return body if isinstance(body, Unparseable) else (_LLC, body, end)


def _ppi(buffer: Buffer, position: int, end: int) -> Step:
    """Per-packet information: its length, and the link type of the frame behind it, are little-endian."""
    if end - position < 8:
        return Unparseable("the PPI header is cut")
    body = position + int.from_bytes(buffer[position + 2 : position + 4], "little")
    inner = int.from_bytes(buffer[position + 4 : position + 8], "little")
    open_link = _LINKS.get(inner)
    if open_link is None or open_link is _ppi:
        return Unparseable(f"link type {inner} inside PPI is not decoded")
    return open_link(buffer, body, end)


_NFLOG_PAYLOAD = 9


def _nflog(buffer: Buffer, position: int, end: int) -> Step:
    """Linux netfilter log: four bytes, then attributes, each its length, type and value, padded to four bytes."""
    position += 4
    while end - position >= 4:
        # Written in the byte order of the capturing host: little-endian, unless that reading leaves the record.
        order: Literal["little", "big"] = "little"
        length = int.from_bytes(buffer[position : position + 2], order)
        if length > end - position:
            order = "big"
            length = int.from_bytes(buffer[position : position + 2], order)
        if length < 4:
            break
        if int.from_bytes(buffer[position + 2 : position + 4], order) & 0x7FFF == _NFLOG_PAYLOAD:
            return ip_by_version(buffer, position + 4, min(end, position + length))
        position += length + 3 & ~3
    return Unparseable("a netfilter log record without a packet")


def _slip(buffer: Buffer, position: int, end: int) -> Step:
    """SLIP as captured: direction and compression in 16 bytes, then IP."""
    return ip_by_version(buffer, position + 16, end)


_LINKS: dict[int, Layer] = {
    0: _loopback,
    ETHERNET: _ethernet,
    8: _slip,
    9: _ppp,
    10: _fddi,
    12: ip_by_version,
    14: ip_by_version,
    50: _ppp_or_hdlc,
    51: _pppoe,
    100: _llc,
    101: ip_by_version,
    104: _cisco_hdlc,
    IEEE802_11: _wifi,
    107: _frame_relay,
    108: _loopback,
    113: _cooked,
    127: _radiotap,
    192: _ppi,
    228: ip_by_version,
    229: ip_by_version,
    239: _nflog,
    276: _cooked_2,
}
"""Link types by their number in the registry of tcpdump.org."""

_ETHERTYPES: dict[int, Layer] = {
    _LLC: _llc,
    BRIDGED: _ethernet,
    0x8100: _tag(4),
    0x88A8: _tag(4),
    0x9100: _tag(4),
    0x9200: _tag(4),
    0x8926: _tag(6),
    0x8847: _mpls,
    0x8848: _mpls,
    0x8864: _pppoe,
    _PPP: _ppp,
}
"""Ethernet types other than IP (IEEE's registry), and 4, by which Linux and this module mean an LLC header."""
