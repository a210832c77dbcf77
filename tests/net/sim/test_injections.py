"""Each box provoked alone in, the packets that it forges on a path out, held against the fields that were published for its time."""

import itertools
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path as File

import msgspec
import pytest

import crenel.atlas
from crenel.atlas.load import load_vantage
from crenel.coins import Law
from crenel.instant import Instant
from crenel.net.path.path import End, Path
from crenel.net.path.route import route_of
from crenel.wire.dns_build import build_query
from crenel.wire.packet import ACK, FIN, IP_DF, PSH, RST, SYN, Packet, udp_packet
from tests.conformance.judging import rows_of
from tests.net.sim.forging import CLIENT, SECOND, SERVER, Certain, Swept, alone, provoke
from tests.net.sim.scripted import bare

SNI_BOXES = ("tls-sni-single", "tls-sni-triple", "tls-sni-late")

Span = tuple[int, int]
ANY16, ANY8 = (0, 65535), (0, 255)


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """What was published about the packets of one kind; where nothing was, anything goes."""

    flags: int = RST | ACK
    copies: int = 3
    seq: tuple[int, ...] | None = None
    """Offsets from what the receiver expects next, of each copy."""
    ack: str | None = None
    df: bool | None = None
    ident: Span = ANY16
    ttl: Span = ANY8
    window: Span = ANY16
    server: bool = True
    """Is the server sent the same?"""
    says: bytes = b""
    copy: Callable[[Packet, Packet], bool] = lambda first, second: True
    """How one copy and the next go together."""


def identical(first: Packet, second: Packet) -> bool:
    """Say whether two copies are the same packet."""
    return first == second


def rising(first: Packet, second: Packet) -> bool:
    """Say whether TTL and window count up by one from copy to copy, each round its own circle."""
    return (second.ttl - first.ttl == 1 or second.ttl < first.ttl) and (second.window - first.window == 1 or second.window < first.window)


THREE = Fields()
ONE_1_5 = (Fields(flags=RST, copies=1, seq=(0,)), Fields(seq=(0, 1460, 4380), copy=rising))
PUBLISHED: dict[tuple[str, str], tuple[Fields, ...]] = {
    # Wang et al. 2017 section 2.1: one RST of random TTL and window, three RST/ACK at X, X+1460, X+4380 with both counting up.
    ("http-host", "2017-05-01"): ONE_1_5,
    ("http-keyword", "2017-05-01"): ONE_1_5,
    # Harrity et al. 2022 section 2: a tear-down by RST/ACK.
    ("http-host", "2020-01-15"): (THREE,),
    ("http-keyword", "2020-01-15"): (THREE,),
    ("http-host", "2022-03-01"): (THREE,),
    ("http-keyword", "2022-03-01"): (THREE,),
    ("http-host", "2025-01-15"): (THREE,),
    ("http-keyword", "2025-01-15"): (THREE,),
    # Bock et al. 2020: resets; their number and fields were not published.
    ("dns-tcp", "2017-05-01"): (THREE,),
    ("dns-tcp", "2020-01-15"): (THREE,),
    ("ftp", "2020-01-15"): (THREE,),
    ("smtp", "2020-01-15"): (THREE,),
    # Bock et al. 2021 section 3: three RST/ACK of the primary box, exactly one RST of the backup.
    ("tls-sni-triple", "2019-01-15"): (THREE,),
    ("tls-sni-triple", "2020-01-15"): (THREE,),
    ("tls-sni-triple", "2021-06-01"): (THREE,),
    ("tls-sni-triple", "2023-04-01"): (THREE,),
    ("tls-sni-single", "2021-06-01"): (Fields(flags=RST, copies=1),),
    # The fingerprint table of Wu et al. 2025.
    ("tls-sni-single", "2023-11-01"): (Fields(flags=RST, copies=1, df=False, ident=(0, 0), ttl=(55, 118)),),
    ("tls-sni-triple", "2023-11-01"): (Fields(df=True, ident=(0x00A3, 0xFE5F), ttl=(39, 238), seq=(0, 0, 0), copy=identical),),
    ("tls-sni-late", "2023-11-01"): (Fields(copies=1, df=False, ident=(0x9916, 0x9933), ttl=(248, 248)),),
    # Derived from the captures of Niere et al. 2025.
    ("tls-sni-single", "2025-03-24"): (Fields(flags=RST, copies=1, seq=(0,), ack="zero", df=False, ident=(19300, 41875), window=(899, 59585)),),
    ("tls-sni-triple", "2025-03-24"): (Fields(seq=(0, 0, 0), ack="end", df=True, window=(1044, 4532), copy=identical),),
    ("tls-sni-drop", "2025-03-24"): (Fields(copies=1, seq=(0,), df=True, window=(1857, 1857)),),
    # net4people/bbs 285 and 295; the report on the event of August 2025.
    ("ip-reset", "2023-09-10"): (Fields(seq=(0, 0, 0), copy=rising),),
    ("port-443", "2025-08-20T01:00"): (Fields(seq=(0, 0, 0), copy=rising),),
    ("http-page", "2023-10-01"): (
        Fields(flags=PSH | ACK, copies=1, ident=(0x99B3, 0x99B3), ttl=(251, 251), server=False, says=b"HTTP/1.1 301 "),
        Fields(flags=PSH | ACK | FIN, copies=1, ident=(0x4C57, 0x4C57), ttl=(251, 251), server=False, says=b"HTTP/1.1 302 "),
    ),
}
EITHER = {"http-page"}
"""Boxes that send one kind or the other."""

CASES = sorted(PUBLISHED)


def check_kind(packets: tuple[Packet, ...], ground: Packet, fields: Fields, *, to_client: bool) -> None:
    """Fail where packets of one kind are not as published."""
    assert len(packets) == fields.copies
    spent = len(ground.payload) + (1 if ground.flags & (SYN | FIN) else 0)
    end = ground.seq + spent
    expected, acknowledged = (ground.ack, end) if to_client else (end, ground.ack)
    for number, packet in enumerate(packets):
        ends = (ground.dst, ground.src, ground.dport, ground.sport) if to_client else (ground.src, ground.dst, ground.sport, ground.dport)
        assert (packet.src, packet.dst, packet.sport, packet.dport) == ends
        assert packet.flags == fields.flags
        if fields.seq is not None:
            assert packet.seq == (expected + fields.seq[number]) % (1 << 32)
        if fields.ack is not None:
            assert packet.ack == (0 if fields.ack == "zero" else acknowledged)
        assert fields.df is None or packet.ip_flags == (IP_DF if fields.df else 0)
        for value, (low, high) in ((packet.ident, fields.ident), (packet.ttl, fields.ttl), (packet.window, fields.window)):
            assert low <= value <= high, packet
        assert packet.payload.startswith(fields.says)
        assert bool(packet.payload) == bool(fields.says)
        assert (packet.options, packet.checksum, packet.ip_checksum, packet.tos) == (b"", None, None, 0)
    assert all(fields.copy(first, second) for first, second in itertools.pairwise(packets))


@pytest.mark.parametrize(("box", "as_of"), CASES)
def test_what_a_box_forges_is_as_published_for_its_time(box: str, as_of: str) -> None:
    kinds = {fields.flags: fields for fields in PUBLISHED[box, as_of]}
    sent: set[int] = set()
    for trial in range(60):
        forged = provoke(box, as_of, Certain(0, trial))
        flags = {packet.flags for packet in forged.client}
        assert flags == set(kinds) or (box in EITHER and len(flags) == 1)
        assert flags <= set(kinds)
        sent |= flags
        for one in flags:
            fields = kinds[one]
            check_kind(tuple(packet for packet in forged.client if packet.flags == one), forged.ground, fields, to_client=True)
            back = tuple(packet for packet in forged.server if packet.flags == one)
            if fields.server:
                check_kind(back, forged.ground, fields, to_client=False)
            else:
                assert not back
    assert sent == set(kinds)


def test_every_box_that_forges_segments_is_in_the_table_in_each_epoch() -> None:
    text = (File(crenel.atlas.__file__).parent / "walls" / "gfw.toml").read_text("utf-8")
    for box in tomllib.loads(text)["middlebox"]:
        epochs = [epoch for epoch in box["epoch"] if "inject" in epoch.get("reaction", {})]
        dates = [as_of for name, as_of in CASES if name == box["id"]]
        assert len({alone(box["id"], as_of).boxes[0].facts.epoch for as_of in dates}) == len(epochs), box["id"]


def test_window_and_ip_id_of_the_later_boxes_lie_on_one_line() -> None:
    """IP ID falls by about 12.3 with each unit of the window, from about 65,390; the farthest that was captured lies 2,304 off."""
    for box in ("tls-sni-triple", "tls-sni-drop"):
        for trial in range(200):
            packet = provoke(box, "2025-03-24", Certain(1, trial)).client[0]
            assert abs(packet.ident - (65_390 - 12.3 * packet.window)) <= 2500


class Corner(Swept):
    """A window at some place of its law, with the lowest IP ID that goes with it."""

    __slots__ = ()

    def draw(self, box: str, scope: bytes, name: str, law: Law) -> int:
        """Return the lowest number, but for the window."""
        return law.at(self._at if name.endswith("window") else 0.0)


def test_no_window_leads_out_of_the_published_ip_ids() -> None:
    for step in range(1000):
        packet = provoke("tls-sni-triple", "2023-11-01", Corner(step / 1000)).client[0]
        assert 0x00A3 <= packet.ident <= 0xFE5F


# Forged answers.


class Answer(msgspec.Struct, frozen=True):
    """What was published about an injector's answers over UDP."""

    df: bool | None
    ident: Span
    mirrors: bool
    """Does it send the TTL that the query had when it came by?"""
    bits: dict[bool, int]
    """Second word of the DNS header by whether the query asked for recursion; what is not published is left out."""
    lives: Span
    pointer: bool


ANSWERS: dict[tuple[str, str], Answer] = {
    ("dns-1", "2020-01-15"): Answer(False, ANY16, False, {}, (60, 60), False),
    ("dns-2", "2019-10-01"): Answer(True, ANY16, False, {}, (0, 1 << 31), True),
    ("dns-2", "2020-01-15"): Answer(True, ANY16, False, {}, (0, 1 << 31), True),
    **{
        ("dns-3", as_of): Answer(False, (0, 0), True, {False: 0x8400, True: 0x8180}, (130, 236), True)
        for as_of in ("2019-10-01", "2020-01-15", "2022-03-01", "2023-11-01")
    },
    ("dns-3", "2025-06-03"): Answer(None, ANY16, False, {False: 0x8400, True: 0x8180}, (130, 236), True),
}


@pytest.mark.parametrize(("box", "as_of"), sorted(ANSWERS))
def test_forged_answers_are_as_published_for_their_time(box: str, as_of: str) -> None:
    law, wall = ANSWERS[box, as_of], alone(box, as_of)
    ttls = []
    path = Path(bare(route_of(load_vantage("zhengzhou"), wall)), Certain(0))
    for number in range(40):
        recursion, ttl = bool(number & 1), 40 + number
        query = build_query(b"www.google.com.blocked.example" if box == "dns-1" else b"blocked.example", ident=number, flags=0x100 * recursion)
        path.send(Instant(number * SECOND), End.CLIENT, udp_packet(CLIENT, SERVER, 50_000 + number, 53, query, ttl=ttl))
        while path.next_due() is not None:
            path.pop()
        (packet,) = (event.packet for event in path.trace if event.what == "injected" and event.packet.dport == 50_000 + number)
        assert (packet.src, packet.dst, packet.sport) == (SERVER, CLIENT, 53)
        assert law.df is None or packet.ip_flags == (IP_DF if law.df else 0)
        assert law.ident[0] <= packet.ident <= law.ident[1]
        if law.mirrors:
            assert packet.ttl == ttl - 6
        ttls.append(packet.ttl)
        assert packet.payload[:2] == query[:2]
        bits = int.from_bytes(packet.payload[2:4], "big")
        assert bits == law.bits.get(recursion, bits)
        assert bool(bits & 0x0400) == {"dns-1": True, "dns-2": False}.get(box, not recursion)
        assert packet.payload[4:12] == bytes((0, 1, 0, 1, 0, 0, 0, 0))
        asked = query[12:]
        assert packet.payload[12 : 12 + len(asked)] == asked
        answer = packet.payload[12 + len(asked) :]
        owner = b"\xc0\x0c" if law.pointer else asked[:-4]
        assert answer.startswith(owner + b"\0\1\0\1")
        assert law.lives[0] <= int.from_bytes(answer[len(owner) + 4 : len(owner) + 8], "big") <= law.lives[1]
        assert answer[len(owner) + 8 : len(owner) + 10] == b"\0\4"
        assert len(answer) == len(owner) + 14
    if box == "dns-1":
        assert all(later == earlier % 255 + 1 for earlier, later in itertools.pairwise(ttls)), "its TTL counts up with each packet"
    assert len(set(ttls)) > 20


# Recorded resets.


def pairs_of(box: str) -> set[tuple[bool, int]]:
    """Return every pair of DF and TTL that a box can put on a packet to the client, by sweeping through its laws."""
    return {
        (bool(packet.ip_flags & IP_DF), packet.ttl) for step in range(400) for packet in provoke(box, "2023-11-01", Swept(step / 400)).client
    }


def test_each_recorded_reset_is_one_that_exactly_one_box_sends() -> None:
    rows = [row for row in rows_of("verdicts/rst_fingerprint25/gfw.csv") if row["ttl"]]
    assert len(rows) == 22_084
    pairs = {box: pairs_of(box) for box in SNI_BOXES}
    seen = Counter((row["ip_flags"] == "DF", int(row["ttl"])) for row in rows)
    senders = {pair: [box for box in SNI_BOXES if pair in pairs[box]] for pair in seen}
    assert not [pair for pair, boxes in senders.items() if len(boxes) > 1]
    assert sum(count for pair, count in seen.items() if not senders[pair]) <= 4
    assert pairs["tls-sni-single"] == {(False, ttl) for ttl in range(55, 119)}
    assert pairs["tls-sni-triple"] == {(True, ttl) for ttl in range(39, 239)}
    assert pairs["tls-sni-late"] == {(False, 248)}
    assert {box for boxes in senders.values() for box in boxes} == set(SNI_BOXES)


@pytest.mark.parametrize(("box", "as_of"), CASES)
def test_what_memory_makes_a_box_send_is_what_it_sent_at_first(box: str, as_of: str) -> None:
    (one,) = alone(box, as_of).boxes
    if one.residual is None or one.residual.does != "reset":
        return
    if PUBLISHED[box, as_of] is ONE_1_5:
        # Wang et al. 2017 section 2.1: during the 90 s any packet draws a RST and a RST/ACK.
        assert [(template.flags, template.copies) for template in one.residual.inject] == [("R", 1), ("RA", 1)]
    else:
        assert one.residual.inject == one.reaction.inject
