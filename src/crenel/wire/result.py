"""What a reader answers when it cannot give a message: values that say why, and fields that know where they were read."""

import msgspec


class Unparseable(msgspec.Struct, frozen=True, gc=False):
    """The bytes are not, and with more bytes would not become, what the reader looks for."""

    because: str


class Incomplete(msgspec.Struct, frozen=True, gc=False):
    """What is there fits so far; more bytes of the same stream could complete it."""

    because: str


class Field(msgspec.Struct, frozen=True, gc=False):
    """A value and where it was read: `offset` and `length` in bytes within the buffer or stream given to the reader."""

    value: bytes
    offset: int
    length: int
