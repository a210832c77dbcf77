"""An action with its children in, a function that sends a packet through them out."""

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Protocol, TypeAlias

import msgspec

from crenel.evade.corrupt import Loads
from crenel.evade.cut import as_sent, cut_by_fragment, cut_packet, cut_segment
from crenel.evade.draws import Draws
from crenel.evade.escape import unquote
from crenel.evade.fooling import FOOLINGS
from crenel.evade.language import (
    Action,
    Delay,
    Disorder,
    Drop,
    Duplicate,
    Fake,
    Fragment,
    Oob,
    Overlap,
    Payload,
    Precede,
    Record,
    Repeat,
    Sleep,
    Split,
    Tamper,
    Trace,
)
from crenel.evade.payload import PAYLOADS
from crenel.evade.position import Text, cuts_at, place_of
from crenel.evade.reading import is_tcp
from crenel.evade.records import HEADER, cut_records
from crenel.evade.tamper import compile_tamper
from crenel.instant import NANOSECONDS, seconds
from crenel.wire.packet import FIN, SYN, URG, Packet

Outgoing: TypeAlias = tuple[int, Packet]
"""How many nanoseconds from now a packet is sent, and the packet."""

_MASK = 0xFFFFFFFF
_replace = msgspec.structs.replace


class Turn(Draws, Protocol):
    """What an action may ask and say while a packet goes through it."""

    def first_time(self, what: object) -> bool:
        """Say whether this is asked for the first time in the trial."""

    @property
    def added(self) -> int:
        """How many bytes were added to the payload of the stack's packet so far."""

    def grow(self, packet: Packet, payload: bytes, inserted: Sequence[tuple[int, int]], urgent: int | None = None) -> None:
        """Note that a packet's payload becomes another, with how many new bytes at which places in it; `urgent` is where the urgent one is."""


Step: TypeAlias = Callable[[Packet, int, Turn, list[Outgoing]], None]
"""Takes a packet and the nanoseconds by which it is late already, and puts what is sent at the end of the list."""


class Setting(msgspec.Struct, frozen=True):
    """What compiling needs to know of the tree above an action."""

    loads: Loads
    rereads: bool = False
    """Whether the tree sets a length, so that what is sent has to be read again as it will be on the way."""
    slept: int = 0
    """Nanoseconds by which the last sleep makes a packet late."""


def compile_tree(root: Action | None, loads: Loads) -> Step:
    """Return what a tree does to a packet that its trigger lets through."""
    if root is None:
        return _nothing
    return _compile(root, Setting(loads, _claims_lengths(root)))


def _claims_lengths(action: Action | None) -> bool:
    if action is None:
        return False
    if isinstance(action, Tamper) and (action.proto, action.field) in {("TCP", "dataofs"), ("IP", "len"), ("IP", "ihl"), ("DNSQR", "qname")}:
        return True
    return any(map(_claims_lengths, action.children))


def grows(action: Action | None) -> bool:
    """Say whether an action, or one below it, adds bytes to a stream."""
    return action is not None and (isinstance(action, Record | Oob | Precede) or any(map(grows, action.children)))


def _nothing(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
    """Send nothing."""


def _emit(setting: Setting) -> Step:
    """Return what sends a packet."""
    slept = setting.slept

    def emit(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        out.append((after + slept, packet))

    def emit_reread(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        sent = as_sent(packet)
        if sent is not None:
            out.append((after + slept, sent))

    return emit_reread if setting.rereads else emit


def _children(action: Action, setting: Setting) -> list[Step]:
    places: tuple[Action | None, ...] = action.children or (None,) * action.places
    return [_emit(setting) if child is None else _compile(child, setting) for child in places]


@singledispatch
def _compile(action: Action, setting: Setting) -> Step:
    raise TypeError(f"{action!r} is no action")


@_compile.register
def _(action: Drop, setting: Setting) -> Step:
    return _nothing


@_compile.register
def _(action: Duplicate, setting: Setting) -> Step:
    # The copy, which goes to the right, forgets a sleep.
    left, right = _children(action, setting)[0], _children(action, _replace(setting, slept=0))[1]

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        left(packet, after, turn, out)
        right(packet, after, turn, out)

    return step


@_compile.register
def _(action: Tamper, setting: Setting) -> Step:
    change, child = compile_tamper(action, setting.loads), _children(action, setting)[0]

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        changed = change(packet, turn)
        if changed is not None:
            child(changed, after, turn, out)

    return step


@_compile.register
def _(action: Fragment, setting: Setting) -> Step:
    children = _children(action, _replace(setting, slept=0))
    left, right = children

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        pieces = cut_by_fragment(packet, action)
        if pieces is not None:
            left(pieces[0], after, turn, out)
            right(pieces[1], after, turn, out)

    order = 1 if action.in_order else -1

    def step_growing(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        pieces = cut_by_fragment(packet, action)
        if pieces is not None:
            for sent in _in_stream_order(children[::order], pieces[::order], after, turn)[::order]:
                out.extend(sent)

    return step_growing if action.layer == "tcp" and grows(action) else step


@_compile.register
def _(action: Sleep, setting: Setting) -> Step:
    return _children(action, _replace(setting, slept=seconds(max(action.seconds, 0.0))))[0]


@_compile.register
def _(action: Trace, setting: Setting) -> Step:
    ttls, this = range(max(action.first, 0), min(action.stop, 256)), object()

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        if turn.first_time(this):
            for number, ttl in enumerate(ttls):
                out.append((after + number * NANOSECONDS, _replace(packet, ttl=ttl, checksum=_checksum(packet), ip_checksum=None, raw=None)))

    return step


def _checksum(packet: Packet) -> int | None:
    return None if is_tcp(packet) else packet.checksum


@_compile.register
def _(action: Split, setting: Setting) -> Step:
    children = _children(action, setting)

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        for sent in _in_stream_order(children, cut_packet(packet, action.at), after, turn):
            out.extend(sent)

    return step


@_compile.register
def _(action: Disorder, setting: Setting) -> Step:
    children = _children(action, setting)

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        pieces = cut_packet(packet, action.at)
        for sent in reversed(_in_stream_order(children[len(pieces) - 1 :: -1], pieces, after, turn)):
            out.extend(sent)

    return step


@_compile.register
def _(action: Record, setting: Setting) -> Step:
    child = _children(action, setting)[0]

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        cuts = cuts_at(action.at, Text(packet.payload)) if packet.payload and is_tcp(packet) else []
        payload, used = cut_records(packet.payload, cuts) if cuts else (b"", [])
        if used:
            turn.grow(packet, payload, [(place + number * HEADER, HEADER) for number, place in enumerate(used)])
        child(_carrying(packet, payload) if used else packet, after, turn, out)

    return step


@_compile.register
def _(action: Fake, setting: Setting) -> Step:
    fake, real = _children(action, setting)
    given = {one.word: one.value for one in action.fooling}
    foolers = [(fooler, fooler.reach if given[word] is None else int(given[word] or 0)) for word, fooler in FOOLINGS.items() if word in given]

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        if not packet.payload or not packet.has_transport():
            real(packet, after, turn, out)
            return
        made = _invented(packet, action.payload, turn)
        for fooler, value in foolers:
            made = fooler.apply(made, value, turn)
        fake(made, after, turn, out)
        real(packet, after, turn, out)
        if action.both:
            fake(made, after, turn, out)

    return step


@_compile.register
def _(action: Oob, setting: Setting) -> Step:
    urgent, rest = _children(action, setting)
    byte = unquote(action.byte)

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        payload = packet.payload
        place = place_of(action.at, Text(payload)) if payload and is_tcp(packet) else None
        if place is None or not 0 <= place <= len(payload):
            urgent(packet, after, turn, out)
            return
        longer = payload[:place] + byte + payload[place:]
        turn.grow(packet, longer, [(place, 1)], place)
        # The pointer names the byte behind the urgent one, as all stacks have it (RFC 6093 section 3).
        marked = _replace(_carrying(packet, longer), flags=packet.flags | URG, urgent=place + 1)
        pieces = cut_segment(marked, [place + 1]) if place < len(payload) else [marked]
        for sent in _in_stream_order((urgent, rest), pieces, after, turn):
            out.extend(sent)

    return step


@_compile.register
def _(action: Delay, setting: Setting) -> Step:
    child, late = _children(action, setting)[0], seconds(action.milliseconds / 1000)

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        child(packet, after + late, turn, out)

    return step


@_compile.register
def _(action: Repeat, setting: Setting) -> Step:
    child, late = _children(action, setting)[0], seconds(action.milliseconds / 1000)

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        for number in range(action.times):
            child(packet, after + number * late, turn, out)

    return step


@_compile.register
def _(action: Overlap, setting: Setting) -> Step:
    child = _children(action, setting)[0]

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        if packet.payload and is_tcp(packet):
            before = PAYLOADS[action.payload.word].make(action.payload.value, packet, turn)
            packet = _replace(_carrying(packet, before + packet.payload), seq=packet.seq - len(before) & _MASK)
        child(packet, after, turn, out)

    return step


@_compile.register
def _(action: Precede, setting: Setting) -> Step:
    first, then = _children(action, setting)

    def step(packet: Packet, after: int, turn: Turn, out: list[Outgoing]) -> None:
        if not packet.payload or not packet.has_transport():
            then(packet, after, turn, out)
            return
        made = _invented(packet, action.payload, turn)
        if is_tcp(packet):
            size = len(made.payload)
            turn.grow(packet, made.payload + packet.payload, [(0, size)])
            made = _replace(made, flags=packet.flags & ~FIN)
            behind = size + (1 if packet.flags & SYN else 0)
            packet = _replace(_carrying(packet, packet.payload), seq=packet.seq + behind & _MASK, flags=packet.flags & ~SYN)
        first(made, after, turn, out)
        then(packet, after, turn, out)

    return step


def _in_stream_order(children: Sequence[Step], pieces: Sequence[Packet], after: int, turn: Turn) -> list[list[Outgoing]]:
    """Return what each child sends for its piece of a stream; where one adds bytes to its piece, those behind it are moved."""
    found: list[list[Outgoing]] = []
    moved = 0
    for child, piece in zip(children, pieces, strict=False):
        before, sent = turn.added, list[Outgoing]()
        child(_replace(piece, seq=piece.seq + moved & _MASK) if moved else piece, after, turn, sent)
        moved += turn.added - before
        found.append(sent)
    return found


def _carrying(packet: Packet, payload: bytes) -> Packet:
    """Return the packet with another payload, lengths and checksums right for it."""
    return _replace(packet, payload=payload, data_offset=None, udp_length=None, total_length=None, checksum=None, ip_checksum=None, raw=None)


def _invented(packet: Packet, payload: Payload, turn: Turn) -> Packet:
    return _carrying(packet, PAYLOADS[payload.word].make(payload.value, packet, turn))
