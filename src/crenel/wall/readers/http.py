"""A TCP stream in, what the HTTP filters of a wall read of its requests out: Host values, and request targets for keywords."""

import codecs
import functools
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from crenel.wall.readers.http_walk import UNFINISHED, Message, Walk, read_message
from crenel.wall.readers.reading import NOT_MINE, WAIT, Answer, Found
from crenel.wire.http import SimpleRequest, read_simple_request

_ESCAPE: Final = re.compile(rb"%([0-9a-fA-F]{2})")
_PORT: Final = re.compile(rb":[0-9]*$")


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the box of 2018-20 decided on the first segments that a stream is HTTP (CCS19 strategies 6 and 7, tcb-model section 6.3)."""

    short: int
    """A first segment of more bytes is judged by its method alone."""
    together: int
    """After a shorter one so many bytes are waited for, all segments counted."""
    token: str
    """What must then stand in the segments after the first."""


class _Requests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """What both filters share: how they recognise requests and walk from one to the next."""

    list: str
    """The list of names or keywords that the value is compared with."""
    walks: tuple[Walk, ...]
    """The parsers of the boxes; a value is found where one of them sees it."""
    methods: tuple[str, ...]
    blanks_after_method: int
    """Most blanks between method and target (HARR22: one too many defeats the Host filter and not the keyword filter)."""
    targets: tuple[str, ...]
    """What a target may begin with (HARR22: a question mark before the path defeats both filters)."""
    requests_per_segment: int | None = None
    """Only so many requests that begin in one segment are read (KHAT13: 1); None: all."""
    depth: int
    """Bytes of one request, its body by chunks included, after which the box gives the stream up."""
    opening: Opening | None = None

    @functools.cached_property
    def _line(self) -> re.Pattern[bytes]:
        """Match a request line up to its target."""
        methods = b"|".join(re.escape(method.encode()) for method in self.methods)
        targets = b"|".join(re.escape(target.encode()) for target in self.targets)
        return re.compile(rb"(?:%b) {1,%d}((?:%b)[^ \r\n]*)" % (methods, self.blanks_after_method, targets))

    @functools.cached_property
    def _firsts(self) -> frozenset[int]:
        return frozenset(method.encode()[0] for method in self.methods)

    @functools.cached_property
    def _share(self) -> float:
        """Probability that a flow meets at least one of the parsers."""
        return _any_of([walk.share for walk in self.walks])

    @functools.cached_property
    def _simple_methods(self) -> frozenset[bytes]:
        """Methods whose simple requests (`wire.http`) need no walk: every parser sees the same in them. None where parameters ask for more."""
        plain = "/" in self.targets and self.blanks_after_method > 0 and self.requests_per_segment is None and len(self.walks) > 0
        odd = any(set(word) & set(" \r\n") for word in (*self.methods, *self.targets))
        return frozenset(method.encode() for method in self.methods) if plain and not odd else frozenset()

    @functools.cached_property
    def _judged_from(self) -> int:
        """Bytes of a first segment from which on its method alone decides."""
        return 0 if self.opening is None else self.opening.short + 1

    def could_begin(self, first_byte: int) -> bool:
        """Say whether a stream may begin so."""
        return first_byte in self._firsts

    def read(self, stream: bytes, ends: Sequence[int], oddly_opened: bool) -> Answer:  # noqa: FBT001  every stream reader is called alike
        """Return what the segment that came last completes."""
        if len(ends) < 2:
            simple = read_simple_request(stream)
            if simple is not None and simple.method in self._simple_methods and (ends[0] if ends else len(stream)) >= self._judged_from:
                found = self._simple_value(simple)
                if found is not None:
                    return Answer((found,), len(stream), True)
        if not stream:
            return WAIT
        if self.opening is not None:
            answer = self._judge_opening(self.opening, stream, ends, oddly_opened=oddly_opened)
            if answer is not None:
                return answer
        if len(self.walks) == 1 or _is_plain(stream):
            return self._follow(stream, ends, self.walks[0], self._share)
        return _merge([self._follow(stream, ends, walk, walk.share) for walk in self.walks])

    def _judge_opening(self, rule: Opening, stream: bytes, ends: Sequence[int], *, oddly_opened: bool) -> Answer | None:
        """Decide on the first segments whether this is HTTP; None: it is, or its method decides."""
        first = ends[0] if ends else len(stream)
        if first > rule.short:
            return None
        if oddly_opened:
            return NOT_MINE
        if len(stream) < rule.together:
            return WAIT if self._fits(stream) else NOT_MINE
        reached = next((end for end in ends if end >= rule.together), len(stream))
        return None if rule.token.encode() in stream[first:reached] else NOT_MINE

    def _fits(self, stream: bytes) -> bool:
        """Say whether a request may begin so, as far as it is there."""
        if self._line.match(stream) is not None:
            return True
        head, blank, rest = stream.partition(b" ")
        if not blank:
            return any(method.encode().startswith(head) for method in self.methods)
        blanks = 1 + len(rest) - len(rest.lstrip(b" "))
        rest = rest.lstrip(b" ")
        return (
            any(method.encode() == head for method in self.methods)
            and blanks <= self.blanks_after_method
            and any(target.encode().startswith(rest) for target in self.targets)
        )

    def _follow(self, stream: bytes, ends: Sequence[int], walk: Walk, share: float) -> Answer:
        """Go from request to request as one parser does."""
        found: list[Found] = []
        known = ends[-2] if len(ends) > 1 else 0
        size = len(stream)
        at = begun = 0
        segment = -1
        while at < size:
            line = self._line.match(stream, at)
            if line is None:
                return Answer(tuple(found), at, self._fits(stream[at : at + self.depth]))
            message = read_message(stream, at, walk, self._name_limit(), known)
            found += self._values(line, message, known, walk.title if share != self._share else "", share)
            if message.onward < 0:
                return Answer(tuple(found), at, message.onward == UNFINISHED and size - at < self.depth)
            if self.requests_per_segment is None:
                at = message.onward
                continue
            here = bisect_right(ends, at)
            begun = begun + 1 if here == segment else 1
            segment = here
            at = message.onward
            if begun >= self.requests_per_segment and here < len(ends) and at < ends[here]:
                at = ends[here]
        return Answer(tuple(found), at, True)

    def _name_limit(self) -> int | None:
        return None

    def _simple_value(self, simple: SimpleRequest) -> Found | None:
        """Return the one value of a simple request; None: not without a walk."""
        raise NotImplementedError

    def _values(self, line: re.Match[bytes], message: Message, known: int, title: str, share: float) -> Iterator[Found]:
        """Yield what one request shows; what was complete at `known` was named before."""
        raise NotImplementedError


class HttpHost(_Requests, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="http.host"):
    """The values of Host headers, in lower case, in every request that the boxes' parsers get to."""

    header_name_limit: int | None = None
    """A header name of so many bytes ends the search for Host (HARR22 section 5.2: 64); None: it does not."""
    drops_port: bool
    """Whether a port is cut off the value."""

    def _name_limit(self) -> int | None:
        return self.header_name_limit

    def _simple_value(self, simple: SimpleRequest) -> Found | None:
        value = simple.host
        if self.drops_port and value.find(b":") >= 0:
            value = _PORT.sub(b"", value)
        return Found("http.host", value.lower(), simple.host_at, len(value), "", self._share)

    def _values(self, line: re.Match[bytes], message: Message, known: int, title: str, share: float) -> Iterator[Found]:
        for host in message.hosts:
            if host.done > known and host.value:
                value = _PORT.sub(b"", host.value) if self.drops_port else host.value
                yield Found("http.host", value.lower(), host.offset, len(value), title and f"as read by {title}", share)


class HttpKeyword(_Requests, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="reads", tag="http.keyword"):
    """Request targets, decoded and in lower case, for keywords that stand anywhere in them; a target need not be complete."""

    uri_depth: int | None = None
    """Bytes of the target that are searched (KHAT13: 2,048); None: all."""
    parameter_limit: int | None = None
    """A query parameter of so many bytes ends the search (HARR22 section 5.2: 1,003); None: it does not."""
    percent: bool
    """Whether %-escapes are decoded first."""
    encodings: tuple[str, ...] = ()
    """Encodings other than UTF-8 in which keywords that are not ASCII are looked for as well (RAMB21 section 4.4: gb18030)."""

    def __post_init__(self) -> None:
        """Refuse encodings that do not exist."""
        for name in self.encodings:
            try:
                codecs.lookup(name)
            except LookupError as error:
                message = f"http.keyword: there is no encoding {name!r}"
                raise ValueError(message) from error

    @functools.cached_property
    def _long_parameter(self) -> re.Pattern[bytes] | None:
        return None if self.parameter_limit is None else re.compile(rb"(?<=[?&])[^?&]{%d}" % self.parameter_limit)

    def _simple_value(self, simple: SimpleRequest) -> Found | None:
        target = simple.target
        size = len(target)
        longest = size if self.uri_depth is None else self.uri_depth
        if size > longest or (self.parameter_limit is not None and size > self.parameter_limit) or (self.percent and target.find(b"%") >= 0):
            return None
        return Found("http.keyword", target.lower(), len(simple.method) + 1, size, "", self._share)

    def _values(self, line: re.Match[bytes], message: Message, known: int, title: str, share: float) -> Iterator[Found]:
        if line.end(1) <= known:
            return
        target = line[1] if self.uri_depth is None else line[1][: self.uri_depth]
        if self._long_parameter is not None:
            long = self._long_parameter.search(target)
            target = target if long is None else target[: long.start()]
        length = len(target)
        if self.percent and b"%" in target:
            target = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), target)
        detail = title and f"as read by {title}"
        yield Found("http.keyword", target.lower(), line.start(1), length, detail, share)
        if self.encodings and not target.isascii():
            for name in self.encodings:
                value = target.decode(name, "replace").encode().lower()
                yield Found("http.keyword", value, line.start(1), length, f"decoded from {name}", share)


def _is_plain(stream: bytes) -> bool:
    """Say whether a stream holds nothing that parsers walk differently by: no bare line feed, no blank before a colon."""
    return stream.count(b"\n") == stream.count(b"\r\n") and b" :" not in stream and b"\t:" not in stream


def _any_of(shares: Sequence[float]) -> float:
    left = 1.0
    for share in shares:
        left *= 1.0 - share
    return 1.0 - left


def _merge(answers: Sequence[Answer]) -> Answer:
    """Put together what several parsers saw: a value that more than one sees is found with the probability that any of them does."""
    seen: dict[tuple[int, int, bytes], list[Found]] = {}
    for answer in answers:
        for found in answer.found:
            seen.setdefault((found.offset, found.length, found.value), []).append(found)
    merged = []
    for same in seen.values():
        one = same[0]
        if len(same) > 1:
            one = Found(one.reads, one.value, one.offset, one.length, "", _any_of([found.share for found in same]))
        merged.append(one)
    # Parsers that stand at different places must be led there again from where they parted.
    alike = len({(answer.consumed, answer.more) for answer in answers}) == 1
    return Answer(tuple(merged), answers[0].consumed if alike else 0, any(answer.more for answer in answers))
