"""A stream of text lines in, commands out: verb and argument with their places, as FTP and SMTP clients send them."""

import re
from typing import Final

import msgspec

from crenel.wire.result import Field, Incomplete, Unparseable

_LINE = re.compile(rb"([A-Za-z]{0,20}+)([ \t]*+)([^\n]*)\n")
# Line ends and tabs aside, text holds no control bytes; what stands above 0x7f may be a name in any encoding.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_READY = re.compile(rb"220[ \-]")

_CUT: Final = Incomplete("the command line is cut")
_BINARY: Final = Unparseable("not a line of text")


class Command(msgspec.Struct, frozen=True, gc=False):
    """One line: `verb` as sent (empty where the line begins with no word of letters), `argument` without surrounding spaces."""

    verb: Field
    argument: Field
    offset: int
    end: int
    """Just past the line feed."""

    @property
    def name(self) -> bytes:
        """The verb in upper case."""
        return self.verb.value.upper()


class Commands(msgspec.Struct, frozen=True, gc=False):
    """Commands that follow one another; why the walk went no further (None: the end, or a change of protocol), and where it stopped."""

    commands: tuple[Command, ...]
    stopped: Incomplete | Unparseable | None
    end: int


def read_command(stream: bytes, start: int = 0) -> Command | Incomplete | Unparseable:
    """Read the line that begins at `start`."""
    line = _LINE.match(stream, start)
    if line is None:
        return _BINARY if _CONTROL.search(stream, start) else _CUT
    if _CONTROL.search(stream, start, line.end()):
        return _BINARY
    verb, spaces, rest = line.groups()
    argument_at = line.start(3)
    if not spaces and rest.strip():
        verb, rest, argument_at = b"", verb + rest, start
    argument = rest.rstrip()
    return Command(Field(verb, start, len(verb)), Field(argument, argument_at, len(argument)), start, line.end())


def is_ready_line(first: bytes) -> bool:
    """Say whether a server's first bytes are the reply 220, by which both protocols announce themselves."""
    return _READY.match(first) is not None
