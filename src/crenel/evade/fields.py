"""The names of header fields as Geneva has them, and how many bits each takes."""

from typing import Final

FLAG_LETTERS: Final = "FSRPAUECN"
"""TCP flags from the lowest bit on; N is the nonce sum of RFC 3540, now reserved."""
IP_FLAG_NAMES: Final = ("MF", "DF", "evil")

TCP_OPTIONS: Final = {
    "eol": 0, "nop": 1, "mss": 2, "wscale": 3, "sackok": 4, "sack": 5, "timestamp": 8, "altchksum": 14, "altchksumopt": 15, "md5header": 19,
    "uto": 28,
}
"""Option kinds (IANA, TCP Parameters)."""

DNS_BITS: Final = {
    "qr": (15, 1), "opcode": (11, 4), "aa": (10, 1), "tc": (9, 1), "rd": (8, 1), "ra": (7, 1), "z": (6, 1), "ad": (5, 1), "cd": (4, 1),
    "rcode": (0, 4),
}
"""Lowest bit and width within the second word of a DNS header (RFC 6895 section 2)."""
DNS_WORDS: Final = {"id": 0, "qdcount": 4, "ancount": 6, "nscount": 8, "arcount": 10}
"""Offset of the fields of 16 bits."""

BITS: Final = {
    "IP": {"version": 4, "ihl": 4, "tos": 8, "len": 16, "id": 16, "flags": 3, "frag": 13, "ttl": 8, "proto": 8, "chksum": 16},
    "TCP": {"sport": 16, "dport": 16, "seq": 32, "ack": 32, "dataofs": 4, "reserved": 3, "flags": 9, "window": 16, "chksum": 16, "urgptr": 16},
    "UDP": {"sport": 16, "dport": 16, "chksum": 16, "len": 16},
    "DNS": dict.fromkeys(DNS_WORDS, 16) | {name: width for name, (_, width) in DNS_BITS.items()},
    "DNSQR": {"qtype": 16, "qclass": 16},
}
"""Widths of the fields that are numbers."""
OPTION_BITS: Final = {"mss": 16, "wscale": 8, "timestamp": 32, "altchksum": 8, "uto": 16}
"""Widths of the options that Geneva sets as numbers; the others are hex digits."""

FIELDS: Final = {
    "IP": frozenset(BITS["IP"]) | {"src", "dst", "load"},
    "TCP": frozenset(BITS["TCP"]) | {"load"} | {f"options-{name}" for name in TCP_OPTIONS},
    "UDP": frozenset(BITS["UDP"]) | {"load"},
    "DNS": frozenset(BITS["DNS"]) | {"qd"},
    "DNSQR": frozenset(BITS["DNSQR"]) | {"qname"},
}
"""All fields of each protocol."""


def number_of(text: str) -> int | None:
    """Return the number that a text is to Geneva, which reads it as Python does (`1_000`, `+5`), or None."""
    try:
        return int(text)
    except ValueError:
        return None


def flags_of(text: str) -> int | None:
    """Return the bits that TCP flags in any order, or a number, stand for; None for another letter."""
    number = number_of(text)
    if number is not None:
        return number
    bits = 0
    for letter in text:
        at = FLAG_LETTERS.find(letter)
        if at < 0:
            return None
        bits |= 1 << at
    return bits


def ip_flags_of(text: str) -> int | None:
    """Return the bits that the names of IP flags joined with + stand for, or a number does; None for another name."""
    number = number_of(text)
    if number is not None:
        return number
    bits = 0
    for name in text.split("+") if text else ():
        if name not in IP_FLAG_NAMES:
            return None
        bits |= 1 << IP_FLAG_NAMES.index(name)
    return bits
