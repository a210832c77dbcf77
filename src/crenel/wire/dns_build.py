"""A name and a few choices in, the bytes of a DNS query or response out; responses can carry what only a forger would send."""

import enum
import re
import struct
from collections.abc import Sequence

from crenel.errors import UsageError
from crenel.wire.dns import AAAA, IN, QR, RA, RD, A, read_name
from crenel.wire.result import Field

_LABEL = re.compile(rb"(?:[^.\\]|\\.)+", re.DOTALL)
_NAME = re.compile(rb"(?:[^.\\]|\\.)+(?:\.(?:[^.\\]|\\.)+)*\.?", re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class OwnerName(enum.Enum):
    """How the name of an answer is written."""

    POINTER = "pointer"
    """As a compression pointer to the question."""
    COPY = "copy"
    """In full, copied from the question."""


def encode_name(name: bytes) -> bytes:
    """Return the wire form of a dotted name as `read_name` gives it; raises UsageError for a label that cannot be written."""
    if name in (b"", b"."):
        return b"\x00"
    labels = [_ESCAPED.sub(rb"\1", label) for label in _LABEL.findall(name)]
    if _NAME.fullmatch(name) is None or any(len(label) > 63 for label in labels):
        raise UsageError(f"the name {name!r} has an empty label, one longer than 63 bytes, or ends in a lone backslash")
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\x00"


def build_query(name: bytes, *, ident: int = 0, kind: int = A, klass: int = IN, flags: int = RD) -> bytes:
    """Return a query with one question; raises UsageError for a name that cannot be written."""
    return struct.pack(">6H", ident, flags, 1, 0, 0, 0) + encode_name(name) + struct.pack(">HH", kind, klass)


def build_response(
    query: bytes, addresses: Sequence[bytes], *, flags: int = QR | RD | RA, ttl: int = 300, owner: OwnerName = OwnerName.POINTER,
) -> bytes:
    """Return a response to the first question of `query`, with one A or AAAA record for each address of 4 or 16 bytes.

    The question is copied as it stands, whatever it holds; a query that has none gets an answer without question, for the root.
    """
    name = read_name(query, 12)
    question = query[12 : 12 + name.length + 4] if isinstance(name, Field) else b""
    copied = question[:-4] or b"\x00"
    owned = copied if owner is OwnerName.COPY or not question else b"\xc0\x0c"
    records = b"".join(
        owned + struct.pack(">HHIH", A if len(address) == 4 else AAAA, IN, ttl, len(address)) + address for address in addresses
    )
    return query[:2].ljust(2, b"\x00") + struct.pack(">5H", flags, 1 if question else 0, len(addresses), 0, 0) + question + records


def frame_tcp(message: bytes) -> bytes:
    """Return a message with the two-byte length that precedes it in a TCP stream."""
    return struct.pack(">H", len(message)) + message
