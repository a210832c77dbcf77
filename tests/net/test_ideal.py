"""First payloads and walls with known probabilities in; what the ideal path carries, who acts, and the exact chance out."""

import random
from pathlib import Path

import pytest

import crenel
from crenel.errors import UsageError
from crenel.net.ideal import LONGEST_PAYLOAD, chance, try_payload
from crenel.net.trace import Exchange
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query
from crenel.wire.packet import ACK, PSH, RST, SYN
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import build_hello_message
from tests.net.made import QUERY, RESET, box, wall_with

LISTED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
UNLISTED = b"GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n"


@pytest.fixture
def certain(tmp_path: Path) -> Wall:
    return wall_with(tmp_path, box("a", chance='p = 1.0, per = "flow"'))


def flags_of(out: Exchange) -> list[tuple[str, str, int, bytes]]:
    return [(event.sender, event.toward, event.packet.flags, event.packet.payload) for event in out.trace]


def test_what_nobody_minds_is_carried_as_it_was_sent(certain: Wall) -> None:
    out = try_payload(UNLISTED, certain, port=80)
    assert flags_of(out) == [
        ("client", "server", SYN, b""), ("server", "client", SYN | ACK, b""), ("client", "server", ACK, b""),
        ("client", "server", PSH | ACK, UNLISTED),
    ]
    assert not any(event.injected_by or event.dropped_by for event in out.trace)
    assert (out.blocked, out.at_risk, out.middlebox, out.action, out.chance, out.triggers, out.evidence) == (False, False, None, None, 0.0, (), ())
    syn, answer, ack, data = (event.packet for event in out.trace)
    assert (answer.ack, ack.seq, ack.ack, data.seq) == (syn.seq + 1, syn.seq + 1, answer.seq + 1, syn.seq + 1)
    assert [event.time for event in out.trace] == sorted(event.time for event in out.trace)
    assert out.trace[0].time == 0


def test_forged_packets_stand_in_the_trace_with_the_box_that_made_them(certain: Wall) -> None:
    out = try_payload(LISTED, certain, port=80)
    assert (out.blocked, out.at_risk, out.middlebox, out.action, out.chance) == (True, True, "a", "reset", 1.0)
    assert [trigger.acted for trigger in out.triggers] == [True]
    forged = [event for event in out.trace if event.injected_by]
    assert [(event.sender, event.toward, event.packet.flags, event.injected_by) for event in forged] == [
        ("wall", "client", RST, "a"), ("wall", "server", RST, "a"),
    ]
    assert forged[0].time == out.trace[3].time + 1000
    (evidence,) = out.evidence
    assert (evidence.read, evidence.value, evidence.packet) == ("http.host", "blocked.example", 4)
    assert LISTED[evidence.offset :].startswith(b"blocked.example")


def test_the_seed_draws_and_the_chance_stays(tmp_path: Path) -> None:
    outs = [try_payload(LISTED, wall_with(tmp_path, box("a", chance='p = 0.25, per = "flow"'), seed=seed), port=80) for seed in range(200)]
    assert {out.chance for out in outs} == {0.25}
    assert all(out.at_risk and out.evidence for out in outs)
    assert sum(out.blocked for out in outs) == pytest.approx(50, abs=25)
    assert {len(out.trace) for out in outs} == {4, 6}


def test_what_is_tolerated_is_no_risk(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", chance='p = 0.25, per = "flow"'))
    assert not try_payload(LISTED, wall, port=80, tolerate=0.25).at_risk
    assert try_payload(LISTED, wall, port=80, tolerate=0.2499).at_risk


def test_a_handshake_that_is_reset_goes_no_further(tmp_path: Path) -> None:
    port_box = box(
        "port", trigger='reads = "tcp.port", ports = [80], packets = ["syn"]', chance='p = 1.0, per = "event"', tcb=None,
        reaction=RESET,
    )
    out = try_payload(LISTED, wall_with(tmp_path, port_box, box("a", chance='p = 1.0, per = "flow"')), port=80)
    assert (out.middlebox, [event.sender for event in out.trace]) == ("port", ["client", "wall", "wall"])
    assert {trigger.middlebox: trigger.acted for trigger in out.triggers} == {"port": True, "a": False}
    assert {one.middlebox: one.packet for one in out.evidence} == {"port": 1, "a": 0}


def test_a_withheld_packet_is_the_last(tmp_path: Path) -> None:
    withholding = box(
        "port", trigger='reads = "tcp.port", ports = [80], packets = ["syn-ack"]', chance='p = 1.0, per = "event"', tcb=None,
        reaction="withhold = true", placement="in-path",
    )
    out = try_payload(LISTED, wall_with(tmp_path, withholding), port=80)
    assert (out.action, [(event.sender, event.dropped_by) for event in out.trace]) == ("drop", [("client", None), ("server", "port")])


def test_a_datagram_is_the_whole_exchange_and_port_matters(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("dns", transport="udp", trigger=QUERY, chance='p = 0.5, per = "event"', tcb=None))
    assert chance(build_query(b"blocked.example"), wall, transport="udp", port=53) == 0.5
    assert chance(build_query(b"blocked.example"), wall, transport="tcp", port=53) == 0
    assert len(try_payload(build_query(b"allowed.example"), wall, transport="udp", port=53).trace) == 1


@pytest.mark.parametrize("port", [1, 443, 49999, 50000, 65534, 65535])
def test_the_source_port_is_above_where_there_is_one(certain: Wall, port: int) -> None:
    packet = try_payload(LISTED, certain, port=port).trace[0].packet
    assert packet.dport == port
    assert packet.sport > port or packet.sport == port == 65535


def test_a_bare_date_means_noon_and_an_hour_means_that_hour() -> None:
    """As the box that is keener at night acts on 19.7 % of connections at noon and on 71.8 % at five."""
    payload = initial()
    noon, five = (crenel.load_wall(as_of=as_of) for as_of in ("2025-01-15", "2025-01-15T05:00"))
    assert chance(payload, noon, transport="udp") == chance(payload, crenel.load_wall(as_of="2025-01-15T12:30"), transport="udp")
    assert chance(payload, five, transport="udp") > chance(payload, noon, transport="udp") > 0


def initial() -> bytes:
    from tests.conversation import MAKERS

    return MAKERS["initial"]("blocked.example")


@pytest.mark.parametrize(
    ("payload", "transport", "port", "words"),
    [
        (b"", "tcp", 443, "empty"), (bytes(LONGEST_PAYLOAD + 1), "tcp", 443, "1048577 bytes"), (bytes(65508), "udp", 443, "at most 65507"),
        (b"x", "icmp", 443, "tcp or udp"), (b"x", "tcp", 0, "port 0"), (b"x", "tcp", 65536, "port 65536"), (b"x", "tcp", -1, "port -1"),
    ],
)
def test_what_cannot_be_tried_is_said_in_one_sentence(certain: Wall, payload: bytes, transport: str, port: int, words: str) -> None:
    for attempt in (chance, try_payload):
        with pytest.raises(UsageError, match=words):
            attempt(payload, certain, transport=transport, port=port)  # type: ignore[arg-type]


def test_the_longest_payloads_are_tried(certain: Wall) -> None:
    assert chance(bytes(LONGEST_PAYLOAD), certain) == 0
    assert chance(bytes(65507), certain, transport="udp") == 0


def test_random_bytes_never_fail() -> None:
    dice = random.Random(3)
    walls = [crenel.load_wall(as_of=as_of) for as_of in ("2017-05-01", "2020-01-15", "2022-06-01", "2025-01-15")]
    for _ in range(100):
        payload = dice.randbytes(dice.randrange(1, 400))
        for wall in walls:
            for transport in ("tcp", "udp"):
                out = try_payload(payload, wall, transport=transport, port=dice.choice([25, 53, 80, 443, 9000]))
                assert 0 <= out.chance <= 1
                assert bool(out.triggers) == bool(out.evidence)


def test_the_package_offers_both() -> None:
    assert crenel.try_payload is try_payload
    assert crenel.chance is chance


def test_another_vantage_has_its_own_curve() -> None:
    """The chance of a box with curves by city follows the vantage that is asked for, not the one the wall was loaded with."""
    wall = crenel.load_wall(as_of="2025-01-15T04:00")
    message = build_hello_message(b"blocked.example", random=bytes(32))
    hello = build_initial([build_crypto_frame(0, message)], dcid=b"12345678", pad_to=1200)
    cities = {name: chance(hello, wall, "udp", 443, vantage=name) for name in ("beijing", "guangzhou", "shanghai")}
    assert cities == {"beijing": 0.682, "guangzhou": 0.444, "shanghai": 0.481}
    assert chance(hello, wall, "udp", 443) == cities["beijing"]
    assert try_payload(hello, wall, transport="udp", vantage="shanghai").chance == cities["shanghai"]
