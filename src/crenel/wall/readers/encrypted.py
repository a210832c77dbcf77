"""The first payload of a client in, the judgement of the rule for fully encrypted traffic out: a candidate unless an exemption holds."""

import functools
import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from crenel.wall.readers.reading import NOT_MINE, Answer, Found
from crenel.wire.memo import remember_last

_TOKEN: Final = re.compile(r"(?P<one>[0-9a-f]{2})|\[(?P<low>[0-9a-f]{2})-(?P<high>[0-9a-f]{2})\]")


class RandomLooking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True, tag_field="reads", tag="bytes.random-looking"):
    """A first payload that no exemption of FET'23 covers; all thresholds are integers or ratios of integers, so that edges are exact."""

    bits_low: tuple[int, int]
    """Exempt (Ex1) where set bits per byte are at most this ratio."""
    bits_high: tuple[int, int]
    """Exempt (Ex1) where set bits per byte are at least this ratio."""
    printable: tuple[int, int]
    """First and last printable byte."""
    leading: int
    """Exempt (Ex2) where at least so many first bytes are printable."""
    printable_share: tuple[int, int]
    """Exempt (Ex3) where more than this ratio of the bytes is printable."""
    run: int
    """Exempt (Ex4) where more than so many printable bytes stand in a row."""
    prefix_bytes: tuple[str, ...]
    """Exempt (Ex5) beginnings in hexadecimal; `[16-17]` is a range."""
    prefix_text: tuple[str, ...]
    """Exempt (Ex5) beginnings as text."""
    prefix_text_any_case: bool
    shortest_recorded: int
    """Length of the shortest payload with a recorded verdict; a find below it says that it is assumed."""

    def __post_init__(self) -> None:
        """Refuse prefixes that cannot be read, at load and not at the first packet."""
        for text in self.prefix_bytes:
            _compile_bytes(text)

    @functools.cached_property
    def _opening(self) -> re.Pattern[bytes]:
        """Match what Ex2 and Ex5 exempt."""
        text = b"|".join(re.escape(prefix.encode()) for prefix in self.prefix_text)
        options = [_compile_bytes(prefix) for prefix in self.prefix_bytes]
        options += [b"(?i:%b)" % text if self.prefix_text_any_case else text] if text else []
        low, high = (re.escape(bytes((edge,))) for edge in self.printable)
        options.append(b"[%b-%b]{%d}" % (low, high, self.leading))
        return re.compile(b"|".join(options), re.DOTALL)

    @functools.cached_property
    def _marks(self) -> bytes:
        """Turn printable bytes into 1 and others into 0."""
        low, high = self.printable
        return bytes(1 if low <= byte <= high else 0 for byte in range(256))

    @functools.cached_property
    def _ratios(self) -> tuple[int, int, int, int, int, int]:
        return *self.bits_low, *self.bits_high, *self.printable_share

    @functools.cached_property
    def _long_run(self) -> bytes:
        return b"\x01" * (self.run + 1)

    def could_begin(self, first_byte: int) -> bool:
        """Say that any first byte may begin a candidate: the rule is about the whole payload."""
        return True

    def read(self, stream: bytes, ends: Sequence[int], oddly_opened: bool) -> Answer:  # noqa: FBT001  every stream reader is called alike
        """Judge the first segment; nothing after it counts (FET'23 section 4.5)."""
        payload = stream if not ends or ends[0] >= len(stream) else stream[: max(ends[0], 0)]
        # Cheapest exemptions first.
        if not payload or self._opening.match(payload) is not None:
            return NOT_MINE
        answer = self._weigh(payload)
        return answer if len(payload) == len(stream) or answer is NOT_MINE else Answer(answer.found, len(stream), False)

    @functools.cached_property
    def _weigh(self) -> Callable[[bytes], Answer]:
        return _weigher(self)

    def weigh(self, payload: bytes) -> Answer:
        """Judge a first segment, not empty, that nothing exempts by how it begins."""
        size = len(payload)
        low, low_of, high, high_of, share, share_of = self._ratios
        bits = int.from_bytes(payload, "big").bit_count()
        if bits * low_of <= size * low or bits * high_of >= size * high:
            return NOT_MINE
        marks = payload.translate(self._marks)
        # Summed as bits: `count` goes from hit to hit, and where they come by chance no processor guesses the steps.
        printable = int.from_bytes(marks, "big").bit_count()
        # Not `in`, which first takes the run for a number and pays for the exception.
        if printable * share_of > size * share or marks.find(self._long_run) >= 0:
            return NOT_MINE
        detail = f"no exemption holds: {bits} bits set in {size} bytes, {printable} of them printable"
        assumed = "length below anything measured" if size < self.shortest_recorded else ""
        return Answer((Found("bytes.random-looking", b"", 0, size, detail, 1.0, assumed),), size, False)


@functools.lru_cache(maxsize=16)
def _weigher(rule: RandomLooking) -> Callable[[bytes], Answer]:
    """Return `weigh` of a rule with a memory of the last payload, which all boxes share whose rule is the same."""
    return remember_last(rule.weigh)


def _compile_bytes(text: str) -> bytes:
    """Return the regular expression of a prefix such as `[16-17] 03 [00-09]`; ValueError where it cannot be read."""
    parts = []
    for token in text.lower().split():
        match = _TOKEN.fullmatch(token)
        if match is None:
            message = f"prefix {text!r}: {token!r} is neither a byte in hexadecimal nor a range such as [16-17]"
            raise ValueError(message)
        one, low, high = match.groups()
        if low and low > high:
            message = f"prefix {text!r}: the range {token} is empty"
            raise ValueError(message)
        edges = tuple(re.escape(bytes.fromhex(edge)) for edge in (one or low, one or high))
        parts.append(b"[%b-%b]" % edges)
    if not parts:
        message = "a prefix is empty"
        raise ValueError(message)
    return b"".join(parts)
