"""Header and payload bytes in, the Internet checksum out (RFC 1071), with the pseudo-headers of TCP, UDP and ICMPv6."""

_ONES = 0xFFFF


def ones_sum(data: bytes, initial: int = 0) -> int:
    """Return the 16-bit one's complement sum of `data` (an odd end is padded with zero) and of `initial`, any integer.

    2**16 is 1 modulo 0xffff, so a sum of 16-bit words is the whole number modulo 0xffff: one division instead of a loop.
    Only all-zero input sums to zero; every other multiple of 0xffff is the other zero of one's complement, 0xffff.
    """
    number = int.from_bytes(data, "big")
    if len(data) & 1:
        number <<= 8
    number += initial
    return (number % _ONES or _ONES) if number else 0


def internet_checksum(data: bytes, initial: int = 0) -> int:
    """Return the checksum field that makes `data` valid; the field itself must be zero in `data`, or left out of it."""
    return _ONES - ones_sum(data, initial)


def pseudo_header(src: bytes, dst: bytes, proto: int, length: int) -> int:
    """Return what the pseudo-header adds to a sum: RFC 9293 section 3.1 for 4-byte addresses, RFC 8200 section 8.1 for 16.

    `length` is the transport length in bytes, header and payload. The result is only meant as `initial` above.
    """
    return int.from_bytes(src, "big") + int.from_bytes(dst, "big") + proto + (length & _ONES) + (length >> 16)
