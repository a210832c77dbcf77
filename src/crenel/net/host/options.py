"""TCP options as bytes in, what Linux reads from them out; and what a host is set to, with the options that it writes itself."""

from struct import Struct

import msgspec

_TIMESTAMP = Struct("!III")
_TIMESTAMP_HEAD = 0x0101080A
_TIMESTAMP_PREFIX = b"\x01\x01\x08\x0a"

MD5_KIND = 19
MD5_LENGTH = 18
AUTH_KIND = 29
_SACK_KIND = 5


class HostOptions(msgspec.Struct, frozen=True, gc=False):
    """What a host is set to; the defaults are those of Linux on Ethernet. Times in nanoseconds.

    `window` is the receive window in bytes: what the SYN offers, and what every later segment offers again, for the
    application reads at once. `clock_offset` is added to the milliseconds of the timestamp option. `ident` is the IP
    identification of the first segment after the handshake; it counts up from there. `mss` is that of IPv4: over IPv6,
    whose header is 20 bytes longer, it is 20 less. `checks_options` drops segments whose options make no sense, as Linux
    does since 6.7, when it learned to look for an authentication option in them (RFC 5925); before, it took them.
    """

    mss: int = 1460
    window: int = 64240
    window_scale: int | None = 7
    timestamps: bool = True
    sack: bool = True
    ttl: int = 64
    clock_offset: int = 1000
    ident: int = 1
    urgent_inline: bool = False
    nodelay: bool = True
    syn_retries: int = 6
    syn_linear: int = 4
    synack_retries: int = 5
    orphan_retries: int = 8
    retries: int = 15
    first_rto: int = 1_000_000_000
    least_rto: int = 200_000_000
    most_rto: int = 120_000_000_000
    fin_wait: int = 60_000_000_000
    time_wait: int = 60_000_000_000
    challenge_interval: int = 500_000_000
    first_cwnd: int = 10
    checks_options: bool = True


class SynOptions(msgspec.Struct, frozen=True, gc=False):
    """What a SYN or SYN/ACK may ask for."""

    mss: int | None = None
    scale: int | None = None
    sack: bool = False
    timestamp: tuple[int, int] | None = None


def read_syn_options(options: bytes) -> SynOptions:
    """Return what the options of a segment with SYN ask for (tcp_parse_options): the last of each kind, until one makes no sense."""
    mss = scale = timestamp = None
    sack = False
    at, end = 0, len(options)
    while at < end:
        kind = options[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        length = options[at + 1] if at + 1 < end else 0
        if length < 2 or at + length > end:
            break
        body = options[at + 2 : at + length]
        if kind == 2 and length == 4 and any(body):
            mss = int.from_bytes(body, "big")
        elif kind == 3 and length == 3:
            scale = min(body[0], 14)  # RFC 7323 section 2.3
        elif kind == 4 and length == 2:
            sack = True
        elif kind == 8 and length == 10:
            timestamp = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:], "big")
        at += length
    return SynOptions(mss, scale, sack, timestamp)


def read_timestamp(options: bytes) -> tuple[int, int] | None:
    """Return timestamp value and echo of a segment, or None (tcp_fast_parse_options)."""
    if len(options) == 12 and options[:4] == _TIMESTAMP_PREFIX:
        _, value, echo = _TIMESTAMP.unpack(options)
        return value, echo
    return read_syn_options(options).timestamp if options else None


def read_sack(options: bytes) -> list[tuple[int, int]]:
    """Return the left and right edges of the blocks that a segment's SACK option tells of (RFC 2018 section 3), until an option makes no sense."""
    at, end = 0, len(options)
    while at + 1 < end and options[at]:
        if options[at] == 1:
            at += 1
            continue
        length = options[at + 1]
        if length < 2 or at + length > end:
            break
        if options[at] == _SACK_KIND:
            edges = [int.from_bytes(options[edge : edge + 4], "big") for edge in range(at + 2, at + length - 3, 4)]
            return list(zip(edges[::2], edges[1::2], strict=False))
        at += length
    return []


def is_unkeyed_signature(options: bytes, *, checks: bool = True) -> bool:
    """Say whether Linux drops the segment for its options before any state sees them (tcp_inbound_hash, without a key).

    That is an MD5 signature (RFC 2385) nobody asked for, and where it `checks` also options that make no sense while there is room for a
    signature in them.
    """
    at, end = 0, len(options)
    # Less than a signature (tcp_do_parse_auth_options) is not looked at.
    while end - at >= MD5_LENGTH:
        kind = options[at]
        if kind == 0:
            return False
        if kind == 1:
            at += 1
            continue
        length = options[at + 1]
        if length < 2 or length > end - at:
            return checks
        if kind == MD5_KIND:
            return True
        at += length
    return False


def timestamp_option(value: int, echo: int) -> bytes:
    """Return the timestamp option with two NOPs before it, as Linux writes it (RFC 7323 appendix A)."""
    return _TIMESTAMP.pack(_TIMESTAMP_HEAD, value, echo)


def syn_options(options: HostOptions, timestamp: tuple[int, int] | None, *, mss: int, scale: bool, sack: bool) -> bytes:
    """Return the options of a SYN or SYN/ACK in the order in which Linux writes them (tcp_options_write)."""
    parts = [b"\x02\x04", mss.to_bytes(2, "big")]
    if timestamp is not None:
        parts += [b"\x04\x02" if sack else b"\x01\x01", b"\x08\x0a", timestamp[0].to_bytes(4, "big"), timestamp[1].to_bytes(4, "big")]
    elif sack:
        parts.append(b"\x01\x01\x04\x02")
    if scale and options.window_scale is not None:
        parts += [b"\x01\x03\x03", bytes((options.window_scale,))]
    return b"".join(parts)


def sack_option(blocks: list[tuple[int, int]]) -> bytes:
    """Return the SACK option for blocks of left and right edge, with two NOPs before it (RFC 2018 section 3)."""
    edges = b"".join(left.to_bytes(4, "big") + right.to_bytes(4, "big") for left, right in blocks)
    return b"\x01\x01\x05" + bytes((2 + len(edges),)) + edges
