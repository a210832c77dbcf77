"""What was published about residual memory in, a row for each case: who is hit, how long, by which packets and with what; and its neighbours."""

import functools
import itertools
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
import pytest
from msgspec.structs import replace

from crenel.atlas.compile import load_wall
from crenel.atlas.dates import epoch_in_force
from crenel.atlas.load import load_profile, sources
from crenel.atlas.moment import parse_moment
from crenel.atlas.schema import Epoch
from crenel.instant import NANOSECONDS, Instant, seconds
from crenel.wall.effects import Armed, Drop, Effect, Inject, Missed, Side
from crenel.wall.run import Run
from crenel.wall.wall import Wall
from crenel.wire.packet import SYN, TCP, UDP, Packet, tcp_packet, udp_packet
from tests.conversation import BASE, FLAGS, MAKERS
from tests.net.sim.forging import Swept

From = Literal["inside", "outside"]
Renewal = Literal["no renewal", "renewal not stated"]

# The tables.

THREE = ("client", "server", "server_port")
FOUR = ("client", "server", "client_port", "server_port")
EVERYTHING = ("SYN", "ACK", "PSH+ACK", "FIN+ACK", "RST")
AFTER_THE_SYN = ("ACK", "PSH+ACK", "FIN+ACK")
DATA = ("PSH+ACK",)
DATAGRAMS = ("UDP",)

DROPPED = ("drop",)
TRIPLES = ("RST+ACK x3 to client", "RST+ACK x3 to server")
ONE_RST = ("RST to client", "RST to server")
ONE_RST_ACK = ("RST+ACK to client", "RST+ACK to server")

STATED: Renewal = "no renewal"
UNSTATED: Renewal = "renewal not stated"

BOTH: tuple[From, ...] = ("inside", "outside")
INSIDE: tuple[From, ...] = ("inside",)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One published case. No case is known in which traffic renewed a memory, or in which packets of the server drew anything."""

    box: str
    as_of: str
    source: str
    seconds: float
    hits: tuple[str, ...]
    """Which packets of the client are hit."""
    does: tuple[str, ...]
    """What such a packet draws."""
    parts: tuple[str, ...] = THREE
    """What a later flow must share."""
    renewal: Renewal = UNSTATED
    """Whether the source says that traffic does not make the memory hold for longer."""
    onset: Mapping[float, int] = msgspec.field(default_factory=lambda: {0.5: 0})
    """Milliseconds until it holds, by quantile."""
    chances: Mapping[int, float] = msgspec.field(default_factory=dict)
    """The probability that a flow is hit, after so many triggers, where that was published."""
    triggers: int = 1
    """How many it takes."""
    opened: tuple[From, ...] = BOTH
    """From where flows were seen to set it."""
    assume: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Which of the profile's alternatives it is."""


HTTP = [
    Case(  # section 8 of the paper has it that the box of the single RST does not keep the memory; a SYN drew a forged SYN/ACK (a stated limit)
        box=box, as_of="2017-05-01", source="wang2017state:section-2-1", seconds=90, hits=EVERYTHING, does=ONE_RST + ONE_RST_ACK,
    )
    for box in ("http-host", "http-keyword")
] + [
    Case(box=box, as_of=as_of, source=source, seconds=length, hits=hits, does=TRIPLES, renewal=renewal, chances=chances, assume=assume)
    for box in ("http-host", "http-keyword")
    for as_of, source, length, hits, renewal, chances, assume in (
        ("2019-01-15", "bock2019geneva:section-5", 90, AFTER_THE_SYN, UNSTATED, {}, {}),
        ("2019-06-01", "chai2019:section-6", 60, AFTER_THE_SYN, UNSTATED, {}, {"residual.seconds": "60"}),
        ("2020-01-15", "bock2020come:section-4-2", 90, AFTER_THE_SYN, UNSTATED, {}, {}),
        ("2020-01-15", "rambert2021chinese", 90, AFTER_THE_SYN, UNSTATED, {1: 0.5}, {}),
        ("2021-06-01", "bock2021your:section-4", 90, DATA, STATED, {1: 0.5, 7: 1.0, 8: 1.0}, {}),
        ("2022-03-01", "harrity2022getout:section-2", 90, DATA, UNSTATED, {}, {}),
        ("2025-01-15", "harrity2022getout:section-2", 90, DATA, UNSTATED, {}, {}),  # the profile keeps it
    )
]  # fmt: skip

TLS = [
    Case(box="tls-sni-triple", as_of="2019-01-15", source="chai2019:section-6", seconds=60, hits=DATA, does=TRIPLES),
    *(
        Case(box=box, as_of=as_of, source="wu2025wall:table-fingerprint", seconds=180, hits=DATA, does=does)
        for box, does in (("tls-sni-single", ONE_RST), ("tls-sni-triple", TRIPLES), ("tls-sni-late", ONE_RST_ACK))
        for as_of in ("2023-11-01", "2024-10-10")
    ),
    *(
        Case(
            box=box, as_of="2025-03-31", source="wu2025wall:table-fingerprint", seconds=180, hits=DATA, does=does,
            assume={"residual.seconds": "180"},
        )
        for box, does in (("tls-sni-single", ONE_RST), ("tls-sni-triple", TRIPLES))
    ),
    Case(box="tls-sni-drop", as_of="2025-03-31", source="niere2025ech:captures", seconds=360, hits=EVERYTHING, does=DROPPED),
    Case(
        box="tls-sni-drop", as_of="2025-03-31", source="niere2025ech", seconds=360, hits=EVERYTHING, does=DROPPED, parts=FOUR,
        assume={"residual.tuple": "four"},
    ),
]  # fmt: skip

ESNI = [
    Case(
        box="esni", as_of=as_of, source=source, seconds=length, hits=EVERYTHING, does=DROPPED, parts=parts, renewal=STATED,
        onset={0.5: onset}, chances=chances, triggers=max(chances), opened=opened, assume=assume,
    )
    for as_of, opened in (("2020-08-01", BOTH), ("2021-06-01", INSIDE))
    for source, length, parts, onset, chances, assume in (
        ("bock2020esni", 120, THREE, 1000, {1: 1.0}, {}),
        ("bock2020esni", 180, THREE, 1000, {1: 1.0}, {"residual.seconds": "180"}),
        # The stages that the source describes together can only be assumed one at a time; of the onset it says "less than a second".
        ("bock2021your:section-4", 120, FOUR, 1000, {1: 1.0}, {"residual.tuple": "four"}),
        ("bock2021your:section-4", 180, FOUR, 1000, {1: 1.0}, {"residual.tuple": "four", "residual.seconds": "180"}),
        ("bock2021your:section-4", 5, THREE, 1000, {1: 1.0}, {"residual.seconds": "5"}),
        # A second trigger finds a memory whose onset is over.
        ("bock2021your:section-4", 180, THREE, 0, {1: 0.0, 2: 1.0}, {"residual.seconds": "180", "residual.chances": "[0.0, 1.0]"}),
    )
]  # fmt: skip

FET = [
    Case(
        box="fet", as_of="2022-05-20", source="wu2023fully:section-4-4", seconds=length, hits=EVERYTHING, does=DROPPED, onset={0.5: 100},
        opened=INSIDE, assume=assume,
    )
    for length, assume in ((180, {}), (120, {"residual.seconds": "120"}))
]  # fmt: skip

QUIC = [
    Case(
        box="quic-sni", as_of=as_of, source=source, seconds=180, hits=DATAGRAMS, does=DROPPED, parts=parts, opened=opened, assume=assume,
        onset={0.0: 59, 0.5: 110, 0.75: 140, 0.9: 189, 0.95: 559, 1.0: 7519},
    )
    for as_of, opened, source, parts, assume in (
        ("2025-01-15", BOTH, "zohaib2025quic:section-4", THREE, {}),
        ("2025-01-15", BOTH, "heitmann2025quic", FOUR, {"residual.tuple": "four"}),
        ("2025-04-04", INSIDE, "heitmann2025quic", THREE, {}),
        # In these 37 of 100 tries a fifth of the client's other ports were hit as well, and in five tries nothing was: neither is offered.
        ("2025-04-04", INSIDE, "heitmann2025quic", FOUR, {"residual.tuple": "four"}),
        ("2025-03-31", INSIDE, "niere2025ech:detailed-china-quicdns", THREE, {}),
    )
]  # fmt: skip

CASES = HTTP + TLS + ESNI + FET + QUIC

NONE = [
    *((box, as_of, source) for box in ("dns-1", "dns-2", "dns-3", "dns-tcp", "smtp") for as_of, source in (
        ("2020-06-01", "bock2020come:section-4-2"), ("2021-06-01", "bock2021your:section-4"),
    )),
    ("ftp", "2020-01-15", "bock2020come:section-4-2"),
    ("tls-sni-triple", "2020-01-15", "bock2020come:section-4-2"),
    ("tls-sni-triple", "2021-06-01", "bock2021backup:section-3"),
    ("tls-sni-single", "2021-06-01", "bock2021backup:section-3"),
    ("tls-sni-triple", "2025-03-31", "niere2025ech:captures"),
    ("tls-sni-single", "2025-03-31", "niere2025ech:captures"),
]  # fmt: skip
"""Boxes that were seen to remember nothing: box, date, source."""

UNSAID = {
    ("dns-2", "2019-09-01"), ("dns-3", "2019-09-01"), ("dns-3", "2021-10-01"), ("dns-3", "2023-11-01"), ("dns-3", "2025-06-01"),
    ("dns-tcp", "2017-04-01"), ("http-page", "2023-10-01"), ("tls-sni-triple", "2023-03-01"), ("ip-drop", "2015-03-01"),
    ("ip-reset", "2023-09-05"), ("port-443", "2025-08-20T00:34"),
}  # fmt: skip
"""Epochs without memory of which no source says whether there was any: box, first day."""

MISSING = [
    ("http-keyword", "2006-06-01", "clayton2006", "20 min on average, for the two hosts and a block of 128 ports"),
    ("http-keyword", "2012-06-01", "verkamp2012", "12 h, for both hosts, port and protocol: an outlier"),
    ("http-keyword", "2017-05-01", "wang2017state:section-2-1", 'the words are "host pair": no port'),
    ("http-keyword", "2017-05-01", "wang2017state:section-8", "the box of the single RST does not keep it, against section 2.1"),
    ("tls-sni-triple", "2020-01-15", "rambert2021chinese:section-4-6", "there is a penalty box; neither key nor time are known"),
    ("esni", "2021-06-01", "hoang2022dneye", "resets in place of drops"),
    ("fet", "2022-05-20", "wu2023fully:section-4", "with 500 ports blocked at once four in ten ended after about 10 s"),
]
"""Published cases that the profile does not offer, not even as an alternative: box, date, source, what it says."""

# How the boxes are provoked, and what is sent afterwards.

SAID: dict[str, tuple[int, tuple[bytes, ...]]] = {
    "dns-tcp": (53, (MAKERS["framed"]("blocked.example"),)),
    "http-host": (80, (MAKERS["request"]("blocked.example"),)),
    "http-keyword": (80, (MAKERS["request"](path="/?q=ultrasurf"),)),
    "tls-sni-single": (443, (MAKERS["hello"]("blocked.example"), b"\x14\x03\x03\x00\x01\x01")),
    "tls-sni-triple": (443, (MAKERS["hello"]("blocked.example"),)),
    "tls-sni-late": (443, (MAKERS["hello"]("blocked.example"),)),
    "tls-sni-drop": (443, (MAKERS["hello"]("blocked.example"),)),
    "esni": (443, (MAKERS["hello"](extension="0xffce"),)),
    "fet": (8388, (MAKERS["noise"]("200"),)),
    "ftp": (21, (b"RETR ultrasurf\r\n",)),
    "smtp": (25, (b"HELO x\r\n", b"MAIL FROM:<someone@example.org>\r\n", b"RCPT TO:<xiazai@upup.info>\r\n")),
    "quic-sni": (443, (MAKERS["initial"]("blocked.example"),)),
    **dict.fromkeys(("dns-1", "dns-2", "dns-3"), (53, (MAKERS["query"]("blocked.example"),))),
}
"""The server's port, and what a client says to provoke a box."""
OVER_UDP = {"dns-1", "dns-2", "dns-3", "quic-sni"}
HARMLESS = b"x"

WORDS = [
    ("client", "SYN"), ("server", "SYN+ACK"), ("client", "ACK"), ("client", "PSH+ACK"), ("server", "ACK"), ("server", "PSH+ACK"),
    ("client", "FIN+ACK"), ("server", "FIN+ACK"), ("client", "RST"), ("server", "RST"),
]  # fmt: skip
"""Every kind of packet of either end, in an order in which a connection may bring them."""
SECOND = Instant(NANOSECONDS)
ONE = Instant(1)


class Alone(Swept):
    """Everything that can happen does, but only to one box; whatever is drawn is drawn at one place of its law.

    Args:
        box: the one that acts.
        at: the quantile.
        remembers: whether its memory holds, where that is tossed for.
    """

    __slots__ = ("_box", "_remembers")

    def __init__(self, box: str, at: float = 0.5, *, remembers: bool = True) -> None:
        super().__init__(at)
        self._box, self._remembers = box, remembers

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        """Return True for the one box where that has any chance."""
        return box == self._box and (self._remembers or name != "residual") and super().toss(box, scope, name, p)


class Ends(msgspec.Struct, frozen=True):
    """The addresses and ports of a flow."""

    client: bytes
    server: bytes
    client_port: int
    server_port: int

    def beside(self, part: str) -> "Ends":
        """Return the flow that differs by one in one part."""
        value: int | bytes = getattr(self, part)
        return replace(self, **{part: value + 1 if isinstance(value, int) else value[:-1] + bytes((value[-1] + 1,))})

    def turned(self) -> "Ends":
        """Return the flow that the server opens to the same port of the client."""
        return replace(self, client=self.server, server=self.client)


class Table:
    """A wall at work, and what one of its boxes does."""

    def __init__(self, box: str, wall: Wall, opened: From, coins: Alone) -> None:
        self.box, self.opened = box, opened
        self.run: Run = wall.start(coins)
        self.udp = box in OVER_UDP
        port, self.said = SAID[box]
        self.ends = Ends(bytes((192, 0, 2, 1)), bytes((198, 51, 100, 2)), 50_000, port)

    def show(self, now: Instant, sender: str, packet: Packet) -> list[Effect]:
        """Let a packet of one end pass; return what the box does."""
        side = Side.INSIDE if (sender == "client") == (self.opened == "inside") else Side.OUTSIDE
        effects = self.run.see(now, side, packet)
        return [effect for effect in effects if isinstance(effect, Inject | Drop | Armed | Missed) and effect.because.middlebox == self.box]

    def provoke(self, times: int = 1) -> Instant:
        """Let so many flows provoke the box, each from a port of its own and the last from the table's; return when the last one did."""
        for back in range(times - 1, 0, -1):
            self._provoke(Instant(BASE - back * SECOND), replace(self.ends, client_port=self.ends.client_port - back))
        return self._provoke(BASE, self.ends)

    def _provoke(self, now: Instant, ends: Ends) -> Instant:
        for at, sender, packet in self._flow(now, ends):
            if any(isinstance(effect, Inject | Armed) and effect.because.residual is None for effect in self.show(at, sender, packet)):
                return at
        raise AssertionError(f"{self.box} is not provoked")

    def _flow(self, now: Instant, ends: Ends) -> Iterable[tuple[Instant, str, Packet]]:
        """Return what a flow says to provoke the box, with the times and who says it."""
        if self.udp:
            yield now, "client", packet_of(ends, "client", "UDP", self.said[0])
            return
        said = [(sender, packet_of(ends, sender, word)) for sender, word in WORDS[:3]]
        seq = 1001
        for text in self.said:
            said.append(("client", packet_of(ends, "client", "PSH+ACK", text, seq=seq)))
            seq += len(text)
        for number, (sender, packet) in enumerate(said):
            yield Instant(now + number * (NANOSECONDS // 1000)), sender, packet

    def draws(self, now: Instant, sender: str = "client", word: str = "PSH+ACK", ends: Ends | None = None) -> tuple[str, ...]:
        """Let one packet of a flow pass; return what it draws from the memory of the box."""
        ends = ends or self.ends
        packet = packet_of(ends, sender, "UDP" if self.udp else word)
        return deeds(self.show(now, sender, packet), ends)


def packet_of(ends: Ends, sender: str, word: str, payload: bytes = HARMLESS, *, seq: int = 1001) -> Packet:
    """Return a packet of one end; only `PSH+ACK` and `UDP` carry data."""
    there = (ends.client, ends.server, ends.client_port, ends.server_port)
    source, target, sport, dport = there if sender == "client" else (ends.server, ends.client, ends.server_port, ends.client_port)
    if word == "UDP":
        return udp_packet(source, target, sport, dport, payload)
    flags = sum(FLAGS[flag] for flag in word.split("+"))
    own, other = (seq, 5001) if sender == "client" else (5001, seq)
    ack, said = other if "ACK" in word else 0, payload if word == "PSH+ACK" else b""
    return tcp_packet(source, target, sport, dport, seq=own - bool(flags & SYN), ack=ack, flags=flags, payload=said)


def deeds(effects: Iterable[Effect], ends: Ends) -> tuple[str, ...]:
    """Return what was done from memory as words, such as `RST+ACK x3 to client`."""
    words = []
    for effect in effects:
        if isinstance(effect, Drop) and effect.because.residual is not None:
            words.append("drop")
        elif isinstance(effect, Inject) and effect.because.residual is not None:
            packet = effect.packet
            flags = "+".join(name for name, bit in FLAGS.items() if packet.flags & bit)
            words.append(f"{flags}* to {'client' if packet.dst == ends.client else 'server'}")
    counted = [(word, len(list(group))) for word, group in itertools.groupby(words)]
    return tuple(word.replace("*", f" x{count}" if count > 1 else "") for word, count in counted)


@functools.cache
def wall_of(box: str, as_of: str, assume: tuple[tuple[str, str], ...]) -> Wall:
    return load_wall("gfw", as_of=as_of, assume={f"{box}.{key}": value for key, value in assume})


def table_of(case: Case, opened: From, quantile: float = 0.5) -> Table:
    """Return the whole wall of a case, with everything that may happen happening and draws at a quantile."""
    return Table(case.box, wall_of(case.box, case.as_of, tuple(case.assume.items())), opened, Alone(case.box, quantile))


def instants(case: Case, opened: From) -> tuple[Table, Instant, Instant]:
    """Return the wall of a case after it was provoked, the moment from which it remembers and the one from which it does not."""
    table = table_of(case, opened)
    armed = table.provoke(case.triggers)
    return table, Instant(armed + case.onset[0.5] * NANOSECONDS // 1000), Instant(armed + seconds(case.seconds))


def name_of(case: Case) -> str:
    return " ".join([case.box, case.as_of, case.source, *(f"{key}={value}" for key, value in case.assume.items())])


EACH = pytest.mark.parametrize(
    ("case", "opened"), [pytest.param(case, opened, id=f"{name_of(case)} from {opened}") for case in CASES for opened in case.opened]
)


# Who is hit.


@EACH
@pytest.mark.parametrize("part", FOUR)
def test_a_flow_is_hit_if_it_shares_the_tuple(case: Case, opened: From, part: str) -> None:
    """The nearest neighbour in each part is hit if and only if that part is not in the tuple; the flow itself always is."""
    table, begins, _ = instants(case, opened)
    assert table.draws(Instant(begins + SECOND), ends=table.ends.beside(part)) == (() if part in case.parts else case.does)
    assert table.draws(Instant(begins + 2 * SECOND)) == case.does


@EACH
def test_the_same_hosts_the_other_way_round_are_not_hit(case: Case, opened: From) -> None:
    table, begins, _ = instants(case, opened)
    turned = table.ends.turned()
    now = Instant(begins + SECOND)
    side = Side.OUTSIDE if opened == "inside" else Side.INSIDE
    assert table.run.see(now, side, packet_of(turned, "client", "UDP" if table.udp else "PSH+ACK")) == []


@EACH
def test_the_other_transport_is_not_hit(case: Case, opened: From) -> None:
    table, begins, _ = instants(case, opened)
    other = packet_of(table.ends, "client", "PSH+ACK" if table.udp else "UDP")
    assert {other.proto, UDP if table.udp else TCP} == {TCP, UDP}
    assert table.show(Instant(begins + SECOND), "client", other) == []


# From when, and how long.


@pytest.mark.parametrize(
    ("case", "opened", "quantile"),
    [pytest.param(case, opened, at, id=f"{name_of(case)} from {opened}, {at}") for case in CASES for opened in case.opened for at in case.onset],
)
def test_it_holds_from_its_onset_on(case: Case, opened: From, quantile: float) -> None:
    table = table_of(case, opened, quantile)
    begins = Instant(table.provoke(case.triggers) + case.onset[quantile] * NANOSECONDS // 1000)
    if case.onset[quantile]:
        assert table.draws(Instant(begins - ONE)) == ()
    assert table.draws(begins) == case.does


@EACH
@pytest.mark.parametrize(("after", "hit"), [(-SECOND, True), (-ONE, True), (0, False), (SECOND, False)], ids=["-1 s", "-1 ns", "end", "+1 s"])
def test_it_holds_for_so_long(case: Case, opened: From, after: int, *, hit: bool) -> None:
    table, _, ends = instants(case, opened)
    assert table.draws(Instant(ends + after)) == (case.does if hit else ())


@pytest.mark.parametrize(
    ("case", "opened"), [pytest.param(case, opened, id=f"{name_of(case)} from {opened}: {case.renewal}") for case in CASES for opened in case.opened]
)
@pytest.mark.parametrize("after", [0, SECOND], ids=["end", "+1 s"])
def test_traffic_does_not_renew_it(case: Case, opened: From, after: int) -> None:
    """Neither packets that are hit nor those that are not, of this flow or another one, until the last nanosecond."""
    table, begins, ends = instants(case, opened)
    for at in (begins, Instant((begins + ends) // 2), Instant(ends - SECOND), Instant(ends - ONE)):
        for flow in (table.ends, table.ends.beside("client_port")):
            for sender, word in WORDS:
                table.draws(at, sender, word, flow)
    assert table.run.armed
    assert table.draws(Instant(ends - ONE)) == case.does
    assert table.draws(Instant(ends + after)) == ()


# Which packets, and what they draw.


@EACH
def test_only_these_packets_of_the_client_are_hit(case: Case, opened: From) -> None:
    """A whole connection while the memory holds, on another port where the tuple lets it."""
    table, begins, _ = instants(case, opened)
    flow = table.ends if "client_port" in case.parts else table.ends.beside("client_port")
    words = [("client", "UDP"), ("server", "UDP"), ("client", "UDP")] if table.udp else WORDS
    drawn = [table.draws(Instant(begins + SECOND + number), *word, flow) for number, word in enumerate(words)]
    assert drawn == [case.does if sender == "client" and word in case.hits else () for sender, word in words]


# How surely.


@pytest.mark.parametrize(
    ("case", "triggers"), [pytest.param(case, count, id=f"{name_of(case)}, {count} triggers") for case in CASES for count in case.chances]
)
def test_a_flow_is_hit_with_this_probability(case: Case, triggers: int) -> None:
    wall = wall_of(case.box, case.as_of, tuple(case.assume.items()))
    for remembers in (True, False):
        table = Table(case.box, wall, "inside", Alone(case.box, remembers=remembers))
        now = Instant(table.provoke(triggers) + 2 * SECOND)
        flow = table.ends if "client_port" in case.parts else table.ends.beside("client_port")
        effects = table.show(now, "client", packet_of(flow, "client", "PSH+ACK"))
        told = [effect.because for effect in effects if isinstance(effect, Inject | Drop | Missed) and effect.because.residual is not None]
        assert {because.chance for because in told} == {case.chances[triggers]}
        assert deeds(effects, flow) == (case.does if remembers and case.chances[triggers] > 0.0 else ())


# Boxes that remember nothing.


@pytest.mark.parametrize("opened", BOTH)
@pytest.mark.parametrize(("box", "as_of", "source"), NONE)
def test_nothing_is_remembered(box: str, as_of: str, source: str, opened: From) -> None:
    table = Table(box, wall_of(box, as_of, ()), opened, Alone(box))
    provoked = table.provoke()
    assert not table.run.armed
    for after in (ONE, SECOND, 59 * SECOND):
        for flow in (table.ends.beside("client_port"), table.ends):
            for number, (sender, word) in enumerate([("client", "UDP"), ("server", "UDP")] if table.udp else WORDS):
                payload = MAKERS["query"]("allowed.example") if table.udp else HARMLESS
                assert table.show(Instant(provoked + after + number), sender, packet_of(flow, sender, word, payload)) == []


# The tables are whole.


def epoch_of(box: str, as_of: str) -> Epoch | None:
    profile = load_profile("gfw")[0]
    return epoch_in_force(next(one for one in profile.middlebox if one.id == box), parse_moment(as_of))


def first_day(epoch: Epoch | None) -> str:
    return "" if epoch is None else str(epoch.first_seen)


def test_every_memory_of_the_profile_has_its_case() -> None:
    played = {(case.box, first_day(epoch_of(case.box, case.as_of)), key, value) for case in CASES for key, value in (case.assume or {"": ""}).items()}
    quiet = {(box, first_day(epoch_of(box, as_of))) for box, as_of, _ in NONE}
    without = set()
    for box in load_profile("gfw")[0].middlebox:
        for epoch in box.epoch:
            here = (box.id, first_day(epoch))
            if epoch.residual is not None and epoch.residual.seconds > 0:
                assert (*here, "", "") in played
            else:
                without.add(here)
            for other in epoch.alternative:
                assert not other.key.startswith("residual") or (*here, other.key, other.name) in played
    assert without == quiet | UNSAID
    assert not quiet & UNSAID


@pytest.mark.parametrize(("box", "as_of", "source", "says"), MISSING)
def test_what_is_missing_is_missing(box: str, as_of: str, source: str, says: str) -> None:
    """Whoever adds one of these to the profile gives it a row above."""
    epoch = epoch_of(box, as_of)
    if epoch is not None:
        assert not [one for one in epoch.alternative if one.key.startswith("residual") and source in one.sources], says


def test_every_case_has_a_source() -> None:
    named = {case.source for case in CASES} | {source for _, _, source in NONE} | {source for _, _, source, _ in MISSING}
    assert {source.partition(":")[0] for source in named} <= sources().keys()
