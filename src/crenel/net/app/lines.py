"""A stream cut anywhere in, the lines of text in it out: a server that answers each, and what a client reads in a strange reply."""

from collections.abc import Callable, Sequence

from crenel.errors import UsageError

LONGEST = 4096
"""Bytes of a line. RFC 5321 section 4.5.3.1 asks for 512 at least, RFC 959 sets no limit; programs take some thousands."""
_TOO_LONG = b"500 Line too long\r\n"

Answer = Callable[[bytes], tuple[Sequence[bytes], bool]]
"""What a server says to a line without its end, and whether it closes then."""


class LineServer:
    """A server that answers line by line; a line feed alone ends a line too, as servers take it.

    Args:
        greeting: what it says as soon as there is a connection.
        answer: what it says to a line; remembers what it must.
    """

    __slots__ = ("_answer", "_buffer", "_greeting", "done")

    def __init__(self, greeting: Sequence[bytes], answer: Answer) -> None:
        self._greeting = greeting
        self._answer = answer
        self._buffer = b""
        self.done = False

    def begin(self) -> Sequence[bytes]:
        """Return the greeting."""
        return self._greeting

    def take(self, data: bytes) -> Sequence[bytes]:
        """Return the replies to the lines that these bytes complete."""
        if self.done:
            return ()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        said: list[bytes] = []
        for line in lines:
            replies, self.done = ((_TOO_LONG,), True) if len(line) > LONGEST else self._answer(line.removesuffix(b"\r"))
            said += replies
            if self.done:
                return said
        if len(self._buffer) > LONGEST:
            self.done = True
            said.append(_TOO_LONG)
        return said


def explain_lines(heard: bytes, told: bytes) -> str | None:
    """Return the first whole line that differs from those expected, in a few words; None while it is not all there."""
    start = 0
    while (end := heard.find(b"\n", start) + 1) and heard[start:end] == told[start:end]:
        start = end
    if not end and len(heard) - start <= LONGEST:
        return None
    line = heard[start : end or None]
    text = "".join(each if each.isprintable() else "?" for each in line[:60].strip().decode("ascii", "replace"))
    return f"another reply: {text}" if end else f"no reply: {len(line)} bytes without a line end"


def check_line(text: str, what: str) -> None:
    """Raise UsageError for a text that is empty or would end the line in which it is sent."""
    if not text or any(each in text for each in "\r\n\0"):
        raise UsageError(f"the {what} {text!r} is empty or has a line end in it, so that no command can carry it")
