"""Ladders: conversations as lines of text with times in, the packets for any carrier and the wall's effects as the same kind of lines out.

A file holds several ladders. Each begins with `== TITLE`; `KEY: VALUE` lines before the first one hold for all.

    == a keyword in a request draws resets
    wall: gfw 2017-05-01             a shipped wall or a file beside the ladders, and the date
    s: 198.51.100.2:80               who stands where; `c` and `s` need no line of their own
    coins: device no, tear-down yes  how named coins fall; all others come up, and draws give their median

    0.000  c>s  SYN
    0.010  s>c  SYN+ACK
    0.020  c>s  ACK
    0.030  c>s  PSH+ACK <request path=/?q=ultrasurf>
           <<   http-keyword: inject RST+ACK x3 to client seq=5001,6461,9381
    200    --

Sequence and acknowledgement numbers follow from what was sent; `seq=7000` and `ack=1` state others, `seq~-4` is four below what would
follow, and such a packet is not counted as sent; `seq:=7000` is. After the flags may stand `ttl=`, `window=`, `id=` and payloads:
"text" with escapes, or one of MAKERS in angle brackets, either cut like `[8:]`. `--` lets time pass.

An effect line gives box and deed; details behind it are compared as far as they are written. The packets, and nothing that names
a wall, decide what a carrier is given, so that the same ladders run on every carrier.
"""

import ast
import difflib
import functools
import hashlib
import ipaddress
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, assert_never

import msgspec

from crenel.atlas.compile import load_wall
from crenel.coins import Coins, ScriptedCoins
from crenel.flow.table import FlowRecord
from crenel.instant import NANOSECONDS, Instant, seconds
from crenel.net.replay.judge import Judge
from crenel.net.replay.notes import FlowNotes
from crenel.wall.effects import Armed, Because, Drop, Effect, Expired, Inject, Missed, Pass, Side, Throttle
from crenel.wall.wall import Wall
from crenel.wire.capture import open_capture
from crenel.wire.dns_build import build_query, encode_name, frame_tcp
from crenel.wire.ip import serialise
from crenel.wire.packet import ACK, FIN, IP_DF, PSH, RST, SYN, TCP, UDP, URG, Packet
from crenel.wire.pcapng_writer import write_pcapng
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.result import Unparseable
from crenel.wire.tls_build import HelloShape, build_client_hello, build_hello_message

BASE = Instant(1_000_000_000 * NANOSECONDS)
"""When a ladder's clock shows 0."""

FLAGS = {"SYN": SYN, "FIN": FIN, "RST": RST, "PSH": PSH, "ACK": ACK, "URG": URG}
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"(?:\[[-\d]*:[-\d]*\])?|<[^>]*>(?:\[[-\d]*:[-\d]*\])?|[^\s"<]+')
_PAYLOAD = re.compile(r'("(?:[^"\\]|\\.)*"|<[^>]*>)(?:\[(-?\d*):(-?\d*)\])?')
_STEP = re.compile(r"(\d+(?:\.\d+)?)\s+(?:([a-z]\w*(?::\d+)?)>([a-z]\w*(?::\d+)?)|(--))\s*(.*)")
_HEAD = re.compile(r"([a-z]\w*):\s*(.*)")
_ISN = {"c": 1000, "s": 5000}


class End(msgspec.Struct, frozen=True):
    """One end of a conversation: where it stands and at which port."""

    address: bytes
    port: int
    side: Side


class Step(msgspec.Struct, frozen=True):
    """One line of a ladder with what is expected of the wall."""

    line: str
    now: Instant
    source: End | None
    """None where only time passes."""
    packet: Packet | None
    expected: tuple[str, ...]


class Ladder(msgspec.Struct, frozen=True):
    """A conversation with what it is played against."""

    title: str
    wall: str
    as_of: str
    steps: tuple[Step, ...]
    assume: tuple[tuple[str, str], ...] = ()
    listed: tuple[str, ...] = ()
    vantage: str | None = None
    coins: tuple[tuple[str, bool], ...] = ()
    replay: str = "like"
    """`like`: a forecast over the capture of this conversation finds the same; else the reason why it cannot."""

    def load(self) -> Wall:
        """Return the wall that it is played against."""
        return _load(self.wall, self.as_of, self.assume, self.listed, self.vantage)

    def toss(self) -> "NamedCoins":
        """Return its coins."""
        return NamedCoins(dict(self.coins))


class NamedCoins(ScriptedCoins):
    """Scripted coins that know a toss by its name without the number behind it."""

    __slots__ = ()

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return the scripted outcome of a toss that is not certain."""
        return super().toss(box, scope, re.sub(r"-\d+$", "", name), p)


Carrier = Callable[[Ladder], list[list[Effect]]]
"""Plays a ladder and returns the effects of the wall on each step."""


@functools.lru_cache(maxsize=256)
def _load(wall: str, as_of: str, assume: tuple[tuple[str, str], ...], listed: tuple[str, ...], vantage: str | None) -> Wall:
    return load_wall(wall, as_of, assume=dict(assume), listed=listed, vantage=vantage)


# From text to packets.


def read_ladders(path: Path) -> list[Ladder]:
    """Return the ladders of a file; AssertionError names the line that is none."""
    ladders: list[Ladder] = []
    common: list[str] = []
    title = ""
    lines: list[tuple[int, str]] = []
    for number, line in enumerate([*path.read_text("utf-8").splitlines(), "== "], 1):
        if line.startswith("=="):
            if title:
                ladders.append(_read_ladder(title, common, lines, path))
            elif lines:
                common = [text for _, text in lines]
            title, lines = line.removeprefix("==").strip(), []
        elif line.strip() and not line.lstrip().startswith("#"):
            lines.append((number, line.strip()))
    return ladders


def _read_ladder(title: str, common: Sequence[str], lines: Sequence[tuple[int, str]], path: Path) -> Ladder:
    head: dict[str, str] = {}
    for text in [*common, *(text for _, text in lines if _HEAD.fullmatch(text))]:
        found = _HEAD.fullmatch(text)
        assert found, f"{path.name}: {text!r} is no `key: value`"
        head[found[1]] = found[2]
    talk = _Talk(head)
    steps: list[Step] = []
    for number, text in lines:
        if text.startswith("<<"):
            assert steps, f"{path.name}:{number}: an effect before any packet"
            steps[-1] = msgspec.structs.replace(steps[-1], expected=(*steps[-1].expected, " ".join(text[2:].split())))
        elif not _HEAD.fullmatch(text):
            found = _STEP.fullmatch(text)
            assert found, f"{path.name}:{number}: {text!r} is no step"
            steps.append(talk.step(text, found))
    name, _, as_of = head["wall"].partition(" ")
    wall = str(path.parent / name) if name.endswith(".toml") else name
    return Ladder(
        title, wall, as_of.strip(), tuple(steps), tuple(_pairs(head.get("assume", ""), "=")), tuple(head.get("listed", "").split()),
        head.get("vantage"), tuple((coin, side == "yes") for coin, side in _pairs(head.get("coins", ""), " ")), head.get("replay", "like"),
    )


def _pairs(text: str, between: str) -> Iterator[tuple[str, str]]:
    for part in text.split(",") if text else ():
        key, _, value = part.strip().partition(between)
        yield key, value.strip()


class _Talk:
    """Keeps the books of one conversation: who stands where, and what each end sends next."""

    def __init__(self, head: dict[str, str]) -> None:
        self._hosts = {"c": "192.0.2.1:40000 inside", "s": "198.51.100.2:80 outside"} | {
            key: value for key, value in head.items() if re.fullmatch(r"[\d.]+:\d+.*|\[.*\]:\d+.*", value)
        }
        self._next: dict[tuple[End, End], int] = {}

    def end(self, name: str) -> End:
        """Return the end called so, such as `c` or `c:40001`."""
        host, _, port = name.partition(":")
        where, _, side = self._hosts[host].partition(" ")
        address, _, own = where.rpartition(":")
        inside = (side or ("inside" if host == "c" else "outside")) == "inside"
        return End(ipaddress.ip_address(address.strip("[]")).packed, int(port or own), Side.INSIDE if inside else Side.OUTSIDE)

    def step(self, line: str, found: "re.Match[str]") -> Step:
        """Return one line's packet, and count it as sent unless it states its own number."""
        now = Instant(BASE + seconds(float(found[1])))
        if found[4]:
            return Step(line, now, None, None, ())
        source, target = self.end(found[2]), self.end(found[3])
        kind, *rest = _WORD.findall(found[5])
        payload = b"".join(_payload(word) for word in rest if word[0] in '"<')
        stated: dict[str, str] = {}
        for word in rest:
            if word[0] not in '"<':
                key, value = re.split(r"(?<=[:~])|=", word, maxsplit=1)
                stated[key] = value
        given = {key.rstrip(":~="): value for key, value in stated.items()}
        fields: dict[str, Any] = {
            "version": 4 if len(source.address) == 4 else 6, "src": source.address, "dst": target.address, "sport": source.port,
            "dport": target.port, "payload": payload, "ttl": int(given.get("ttl", 64)), "ident": int(given.get("id", "0"), 0),
            "ip_flags": IP_DF if len(source.address) == 4 else 0,
        }
        if kind == "UDP":
            return Step(line, now, source, Packet(proto=UDP, **fields), ())
        flags = sum(FLAGS[word] for word in kind.split("+")) if kind != "-" else 0
        seq, counted = self._seq(source, target, stated, flags)
        if counted:
            self._next[source, target] = (seq + len(payload) + bool(flags & (SYN | FIN))) % (1 << 32)
        due = self._next.get((target, source), 0) if flags & ACK else 0
        ack = due + int(stated["ack~"]) if "ack~" in stated else int(given.get("ack", due))
        window = int(given.get("window", 64240))
        return Step(line, now, source, Packet(proto=TCP, seq=seq, ack=ack, flags=flags, window=window, **fields), ())

    def _seq(self, source: End, target: End, stated: dict[str, str], flags: int) -> tuple[int, bool]:
        due = self._next.get((source, target), _ISN["c" if source.side == Side.INSIDE else "s"])
        if "seq~" in stated:
            return (due + int(stated["seq~"])) % (1 << 32), False
        if "seq:" in stated:
            return int(stated["seq:"].lstrip("=")), True
        return (int(stated["seq"]), False) if "seq" in stated else (due, not flags & RST)


def _payload(word: str) -> bytes:
    found = _PAYLOAD.fullmatch(word)
    assert found, f"{word!r} is no payload"
    if word.startswith('"'):
        data = str(ast.literal_eval(found[1])).encode("latin-1")
    else:
        name, *rest = found[1][1:-1].split()
        data = MAKERS[name](*(word for word in rest if "=" not in word), **dict(word.split("=", 1) for word in rest if "=" in word))
    return data[int(found[2]) if found[2] else None : int(found[3]) if found[3] else None]


def _request(host: str = "allowed.example", *, path: str = "/", method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def _hello(name: str = "", *, shape: str = "classic", records: str = "", extension: str = "") -> bytes:
    extra = [(int(extension, 0), bytes(8))] if extension else []
    sizes = [int(size) for size in records.split(",")] if records else []
    return build_client_hello(name.encode() or None, random=bytes(range(32)), shape=HelloShape(shape), extra=extra, record_sizes=sizes)


def _query(name: str, *, type: str = "1", klass: str = "1", id: str = "0x1234", rd: str = "1") -> bytes:  # noqa: A002  words of the ladders
    return build_query(name.encode(), ident=int(id, 0), kind=int(type), klass=int(klass), flags=0x100 * int(rd))


def _initial(name: str, *, version: str = "1", dcid: str = "8", ping: str = "0") -> bytes:
    frames = [b"\x01"] * int(ping) + [build_crypto_frame(0, build_hello_message(name.encode(), random=bytes(range(32))))]
    return build_initial(frames, dcid=bytes(range(int(dcid))), version=int(version, 0), pad_to=1200)


MAKERS: dict[str, Callable[..., bytes]] = {
    "request": _request,
    "hello": _hello,
    "query": _query,
    "framed": lambda *words, **named: frame_tcp(_query(*words, **named)),
    "initial": _initial,
    "name": lambda name: encode_name(name.encode()),
    "hex": lambda *pairs: bytes.fromhex("".join(pairs)),
    "noise": lambda size, seed="0": hashlib.shake_128(seed.encode()).digest(int(size)),
    "times": lambda count, text: text.encode() * int(count),
}
"""Payloads by name: an HTTP request, a ClientHello, a DNS query bare and framed for TCP, a QUIC Initial, an encoded name, bytes in
hexadecimal, bytes that look random, repetitions."""


# From effects to text.


def words_of(effects: Iterable[Effect], expected: Sequence[str] = ()) -> list[str]:
    """Return effects as lines; each gives the details that the expected line at its place gives."""
    lines: list[str] = []
    for _, group in itertools.groupby(effects, _brief):
        same = list(group)
        asked = expected[len(lines)] if len(lines) < len(expected) else ""
        names = re.findall(r"(?<=\s)([a-z]+)=", asked)
        details = {name: ",".join(dict.fromkeys(_detail(effect, name) for effect in same)) for name in names}
        if "seq" in details:
            details["seq"] = ",".join(_detail(effect, "seq") for effect in same)
        times = f" x{len(same)}" if len(same) > 1 else ""
        lines.append(" ".join([_brief(same[0]).replace("*", times), *(f"{name}={value}" for name, value in details.items())]))
    return lines


def _brief(effect: Effect) -> str:
    match effect:
        case Inject():
            packet = effect.packet
            deed = f"inject {_flags(packet) if packet.proto == TCP else 'answer'}* to {_end(effect.toward)}"
        case Throttle():
            deed = f"throttle {effect.bytes_per_second} B/s burst {effect.burst} to {'both' if effect.toward is None else _end(effect.toward)}"
        case Armed():
            deed = f"armed until {(effect.until - BASE) / NANOSECONDS:g}"
        case Expired():
            return f"{effect.middlebox}: expired at {(effect.at - BASE) / NANOSECONDS:g}"
        case Drop():
            deed = "drop"
        case Missed():
            deed = "missed"
        case Pass():
            return "pass"
        case _:
            assert_never(effect)
    return f"{effect.because.middlebox}: {'residual ' if effect.because.residual else ''}{deed}"


def _flags(packet: Packet) -> str:
    return "+".join(name for name, bit in FLAGS.items() if packet.flags & bit) or "-"


def _end(side: Side) -> str:
    return "client" if side == Side.INSIDE else "server"


def _detail(effect: Effect, name: str) -> str:
    """Return one detail of an effect as text, a dash where it has none."""
    because: Because | None = getattr(effect, "because", None)
    if because is not None and name in {"read", "offset", "length", "chance"}:
        return f"{getattr(because, name):g}" if name == "chance" else str(getattr(because, name))
    if because is not None and name == "value":
        return because.value.decode("latin-1") or "-"
    if not isinstance(effect, Inject):
        return "-"
    packet = effect.packet
    answers = {"address": _address(packet), "record": str(int.from_bytes(packet.payload[-10:-6], "big")), "bits": packet.payload[2:4].hex()}
    details = {
        "seq": packet.seq, "ack": packet.ack, "ttl": packet.ttl, "window": packet.window, "id": packet.ident, "df": packet.ip_flags >> 1 & 1,
        "after": f"{effect.after / 1e6:g}", "size": len(packet.payload), "says": packet.payload.split(b"\r\n")[0].decode("latin-1").replace(" ", "_"),
    }
    return str((details | answers)[name])


def _address(packet: Packet) -> str:
    size = int.from_bytes(packet.payload[-6:-4], "big") if packet.payload[-6:-4] == b"\x00\x04" else 16
    return str(ipaddress.ip_address(packet.payload[-size:])) if packet.proto == UDP and len(packet.payload) > size else "-"


# Carriers and checks.


def carry_straight(ladder: Ladder) -> list[list[Effect]]:
    """Hand every packet to the wall as it stands, in virtual time."""
    run = ladder.load().start(ladder.toss())
    effects: list[list[Effect]] = []
    for step in ladder.steps:
        if step.packet is None or step.source is None:
            effects.append(run.ring(step.now))
        else:
            effects.append(run.see(step.now, step.source.side, step.packet))
    return effects


def play(ladder: Ladder, carrier: Carrier = carry_straight) -> None:
    """Play a ladder; AssertionError shows how what happened differs from what is written."""
    written: list[str] = []
    happened: list[str] = []
    for step, effects in zip(ladder.steps, carrier(ladder), strict=True):
        written += [step.line, *(f"       <<   {line}" for line in step.expected)]
        happened += [step.line, *(f"       <<   {line}" for line in words_of(effects, step.expected))]
    difference = "\n".join(difflib.unified_diff(written, happened, "written", "happened", lineterm="", n=3))
    assert not difference, f"{ladder.title}\n{difference}"


Flow = frozenset[tuple[bytes, int]]


class Finding(msgspec.Struct, frozen=True):
    """What a carrier found on one flow."""

    grounds: frozenset[str]
    """Boxes with ground of their own, whether or not they acted."""
    acted: str | None
    """The first box that acted, residual memory included."""


def found_straight(ladder: Ladder) -> dict[Flow, Finding]:
    """Return what the wall finds when the packets are handed to it."""
    findings: dict[Flow, list[tuple[Because, bool]]] = {}
    for step, effects in zip(ladder.steps, carry_straight(ladder), strict=True):
        if step.packet is not None:
            flow = frozenset({(step.packet.src, step.packet.sport), (step.packet.dst, step.packet.dport)})
            told = [effect for effect in effects if isinstance(effect, Inject | Drop | Throttle | Armed | Missed)]
            findings.setdefault(flow, []).extend((effect.because, not isinstance(effect, Missed)) for effect in told)
    return {flow: _finding(found) for flow, found in findings.items()}


def found_in_replay(ladder: Ladder) -> dict[Flow, Finding]:
    """Return what a forecast finds over the capture of the same packets, with the same coins."""
    findings: dict[Flow, list[tuple[Because, bool]]] = {}

    def done(records: Sequence[FlowRecord]) -> None:
        for record in records:
            notes: FlowNotes = record.notes
            flow = frozenset({(record.first, record.sport), (record.second, record.dport)})
            findings.setdefault(flow, []).extend((because, acts) for because, acts, _ in notes.findings)

    inside = {step.source.address for step in ladder.steps if step.source is not None and step.source.side == Side.INSIDE}
    coins: Coins = ladder.toss()
    reader = open_capture(capture_of(ladder))
    assert not isinstance(reader, Unparseable)
    Judge(ladder.load(), coins, inside.__contains__, done).read(reader)
    return {flow: _finding(found) for flow, found in findings.items()}


def capture_of(ladder: Ladder) -> bytes:
    """Return the packets of a ladder as a capture."""
    return b"".join(write_pcapng((step.now, serialise(step.packet), None) for step in ladder.steps if step.packet is not None))


def _finding(found: Sequence[tuple[Because, bool]]) -> Finding:
    grounds = frozenset(because.middlebox for because, _ in found if because.residual is None)
    return Finding(grounds, next((because.middlebox for because, acts in found if acts), None))


def compare_with_replay(ladder: Ladder) -> None:
    """Fail where a forecast over the capture names another first box, or misses a ground; it may find more, as no box silences another."""
    if ladder.replay != "like":
        return
    straight, replayed = found_straight(ladder), found_in_replay(ladder)
    assert straight.keys() == replayed.keys(), ladder.title
    for flow, finding in straight.items():
        assert finding.acted == replayed[flow].acted, f"{ladder.title}: {finding} here, {replayed[flow]} in the capture"
        assert finding.grounds <= replayed[flow].grounds, f"{ladder.title}: {finding} here, {replayed[flow]} in the capture"
