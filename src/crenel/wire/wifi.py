"""An IEEE 802.11 frame in, with or without a radiotap or PPI header, the LLC header of its data out."""

from struct import Struct

from crenel.wire.buffer import Buffer
from crenel.wire.result import Unparseable

_LITTLE_TWO = Struct("<H").unpack_from
_LITTLE_FOUR = Struct("<I").unpack_from

IEEE802_11 = 105
"""The link type of bare 802.11 frames."""

_DATA = 2
_NO_DATA, _QOS = 4, 8
"""Bits of a data frame's subtype."""
_TO_DS, _FROM_DS, _PROTECTED, _ORDER = 1, 2, 0x40, 0x80
_AGGREGATE = 0x80
_RADIOTAP_TIMER, _RADIOTAP_FLAGS = 1, 2
_PADDED = 0x20


def data_of_frame(buffer: Buffer, position: int, end: int) -> int | Unparseable:
    """Return where the LLC header of a plain data frame begins (IEEE 802.11-2020 section 9.3.2.1)."""
    return _data_of_frame(buffer, position, end, 1)


def _data_of_frame(buffer: Buffer, position: int, end: int, alignment: int) -> int | Unparseable:
    if end - position < 24:
        return Unparseable("the 802.11 header is cut or has no addresses for data")
    control, flags = buffer[position], buffer[position + 1]
    subtype = control >> 4
    if control >> 2 & 3 != _DATA or subtype & _NO_DATA:
        return Unparseable("an 802.11 frame without data")
    if flags & _PROTECTED:
        return Unparseable("an encrypted 802.11 frame")
    length = 24
    if flags & _TO_DS and flags & _FROM_DS:
        length += 6
    if subtype & _QOS:
        if position + length < end and buffer[position + length] & _AGGREGATE:
            return Unparseable("an aggregate of 802.11 frames is not decoded")
        length += 6 if flags & _ORDER else 2
    return position + length + -length % alignment


def data_of_radiotap(buffer: Buffer, position: int, end: int) -> int | Unparseable:
    """Skip a radiotap header; of its fields only the flag for padding between header and data matters here."""
    if end - position < 8:
        return Unparseable("the radiotap header is cut")
    body = position + _LITTLE_TWO(buffer, position + 2)[0]
    present = _LITTLE_FOUR(buffer, position + 4)[0]
    field, more = position + 8, present
    while more & 0x8000_0000 and end - field >= 4:
        more = _LITTLE_FOUR(buffer, field)[0]
        field += 4
    if present & _RADIOTAP_TIMER:
        # The timer is the first field, eight bytes, aligned to eight from the start of the header.
        field += -(field - position) % 8 + 8
    padded = present & _RADIOTAP_FLAGS and field < min(body, end) and buffer[field] & _PADDED
    return _data_of_frame(buffer, body, end, 4 if padded else 1)
