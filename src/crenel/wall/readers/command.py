"""A TCP stream in, the arguments of listed FTP commands or the mail addresses of SMTP commands out."""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from crenel.wall.readers.reading import NOT_MINE, Answer, Found
from crenel.wire.memo import remember_last

_LINES: Final = re.compile(rb"(?:[A-Za-z]{3,8}(?:[ \t][^\r\n]*)?\r?\n)*+")
"""Whole command lines: three or four letters in FTP (RFC 959 section 5.3.1), four to eight in SMTP (RFC 5321 section 4.1.1)."""
_REST: Final = re.compile(rb"[A-Za-z]{0,8}|[A-Za-z]{3,8}(?:[ \t][^\r\n]*)?\r?")
"""What a command line may look like before its end has come."""
_ADDRESS: Final = re.compile(rb"[ \t]*:?[ \t]*<?((?!:)[^<>\s]++)([>\s])")
_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


@remember_last
def _measure(stream: bytes) -> tuple[int, bool]:
    """Return where the whole command lines at the beginning end, and whether what follows could become another."""
    if len(stream) > 2 and not stream[:3].isalpha():
        return 0, False
    lines = _LINES.match(stream)
    done = 0 if lines is None else lines.end()
    if done == len(stream):
        return done, True
    # An end of line that is left is that of a line which is no command.
    return done, not stream.endswith(b"\n") and _REST.fullmatch(stream, done) is not None


class _Commands(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """Command lines, read as they come; a line that is no command ends the reading (tcb-model section 6, items 4 and 5)."""

    list: str
    """The list of names or keywords that the value is compared with."""
    verbs: tuple[str, ...]
    """Commands whose argument is read, in any case."""
    first_line_whole: bool
    """Where segments are judged one by one: whether a first segment that does not end a line makes the box give the flow up."""
    longest_line: int | None = None
    """Bytes of a line without its end after which the box gives the flow up; None: it waits for any line."""

    @functools.cached_property
    def _command(self) -> re.Pattern[bytes]:
        verbs = b"|".join(rb"[ \t]+".join(re.escape(word.encode()) for word in verb.split()) for verb in self.verbs)
        return re.compile(rb"^(?:%b)(?=[ \t:])" % verbs, re.IGNORECASE | re.MULTILINE)

    @functools.cached_property
    def _firsts(self) -> frozenset[int]:
        """First bytes of the verbs, in either case; any byte where a verb is empty."""
        firsts = [word[:1] for verb in self.verbs for word in (verb.strip().encode(),)]
        return frozenset(b"".join(first.upper() + first.lower() for first in firsts) if firsts and all(firsts) else range(256))

    def could_begin(self, first_byte: int) -> bool:
        """Say whether a stream may begin so."""
        return first_byte in _LETTERS

    def read(self, stream: bytes, ends: Sequence[int], oddly_opened: bool) -> Answer:  # noqa: FBT001  every stream reader is called alike
        """Return the values of the commands that the segment which came last completes or goes on with."""
        done, fits = _measure(stream)
        fits = fits and (self.longest_line is None or len(stream) - done <= self.longest_line)
        return Answer(self._named(stream, ends[-2] if len(ends) > 1 else 0, len(stream) if fits else done), done, fits)

    def read_apart(self, segment: bytes, first: bool) -> Answer:  # noqa: FBT001
        """Judge a segment alone, for a box that does not join them; `first` is the client's first one."""
        if first:
            if self._gives_up(segment):
                return NOT_MINE
            done, fits = _measure(segment)
            if not fits or (self.longest_line is not None and len(segment) - done > self.longest_line):
                return NOT_MINE
        return Answer(self._named(segment, 0, len(segment)), len(segment), True)

    def _gives_up(self, segment: bytes) -> bool:
        return self.first_line_whole and not segment.endswith(b"\n")

    def _named(self, stream: bytes, known: int, stop: int) -> tuple[Found, ...]:
        if not stop or (stream[0] not in self._firsts and stream.find(b"\n", 0, stop - 1) < 0):
            return ()
        return tuple(self._values(stream, known, stop))

    def _values(self, stream: bytes, known: int, stop: int) -> Iterator[Found]:
        """Yield the values before `stop`; what was there at `known` was named before."""
        raise NotImplementedError


class FtpCommand(_Commands, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="ftp.command"):
    """The argument of a listed FTP command, in lower case, as far as it is there (SIG20 names no verb; RETR is inferred)."""

    def _values(self, stream: bytes, known: int, stop: int) -> Iterator[Found]:
        for command in self._command.finditer(stream, 0, stop):
            end = stream.find(b"\n", command.end(), stop)
            rest = stream[command.end() : stop if end < 0 else end]
            value = rest.strip()
            at = command.end() + len(rest) - len(rest.lstrip())
            if value and at + len(value) > known:
                yield Found("ftp.command", value.lower(), at, len(value), f"argument of {command[0].decode('latin-1').upper()}")


class SmtpAddress(_Commands, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="smtp.address"):
    """The address of a listed SMTP command such as MAIL FROM, in lower case (SIG20, WOOT21); it must be there to its end."""

    def _values(self, stream: bytes, known: int, stop: int) -> Iterator[Found]:
        for command in self._command.finditer(stream, 0, stop):
            address = _ADDRESS.match(stream, command.end(), stop)
            if address is not None and address.end() > known:
                detail = f"address of {command[0].decode('latin-1').upper()}"
                yield Found("smtp.address", address[1].lower(), address.start(1), len(address[1]), detail)
