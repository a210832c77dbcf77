"""The bytes of TLS records and where to cut them in, the same messages in more records out."""

from collections.abc import Sequence

from crenel.wire.tls_record import walk_records

HEADER = 5
"""Bytes of a record header (RFC 8446 section 5.1)."""


def cut_records(payload: bytes, cuts: Sequence[int]) -> tuple[bytes, list[int]]:
    """Return the payload with a record header at each of the rising offsets that lie inside a record's body, and those offsets.

    A record that goes on in the next segment keeps its claim: its last part ends where the record did.
    """
    parts: list[bytes] = []
    used: list[int] = []
    done = 0
    for record in walk_records(payload):
        inside = [cut for cut in cuts if record.body < cut < min(record.end, len(payload))]
        if not inside:
            continue
        kind = payload[record.offset : record.offset + 3]
        parts.append(payload[done : record.offset])
        for start, stop in zip((record.body, *inside), (*inside, record.end), strict=True):
            parts.append(kind + (stop - start).to_bytes(2, "big") + payload[start:stop])
        done = min(record.end, len(payload))
        used.extend(inside)
    parts.append(payload[done:])
    return b"".join(parts), used
