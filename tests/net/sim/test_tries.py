"""URLs and first payloads with walls of known probabilities in; what the client goes through, who acts, and the exact chance out."""

import copy
import random
from pathlib import Path
from typing import cast

import msgspec
import pytest

import crenel
from crenel.atlas.compile import About
from crenel.errors import UsageError
from crenel.instant import seconds
from crenel.net.app.http import Http
from crenel.net.app.target import Target
from crenel.net.exchange import Exchange
from crenel.net.sim.tries import LONGEST_PAYLOAD, Session, chance, try_payload, try_target, try_url
from crenel.wall.wall import Wall
from crenel.wire.dns_build import build_query
from crenel.wire.packet import RST, SYN
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import build_hello_message
from tests.net.made import QUERY, RESET, box, wall_with
from tests.net.telling import check_accounts

LISTED = b"GET / HTTP/1.1\r\nHost: blocked.example\r\n\r\n"
UNLISTED = b"GET / HTTP/1.1\r\nHost: allowed.example\r\n\r\n"


@pytest.fixture
def certain(tmp_path: Path) -> Wall:
    return wall_with(tmp_path, box("a", chance='p = 1.0, per = "flow"'))


def payloads_of(out: Exchange) -> list[bytes]:
    check_accounts(out.trace, finished=False)
    return [event.packet.payload for event in out.trace if event.what == "sent" and event.sender == "client" and event.packet.payload]


def test_what_nobody_minds_is_answered(certain: Wall) -> None:
    out = try_payload(UNLISTED, certain, port=80)
    assert payloads_of(out)[0] == UNLISTED
    assert not any(event.injected_by or event.dropped_by for event in out.trace)
    assert (out.outcome, out.blocked, out.at_risk, out.middlebox, out.action) == ("passed", False, False, None, None)
    assert (out.chance, out.triggers, out.evidence) == (0.0, (), ())
    assert [answer.intact for answer in out.answers] == [True]
    assert [event.time for event in out.trace] == sorted(event.time for event in out.trace)


def test_a_reset_ends_the_experience_of_the_client(certain: Wall) -> None:
    out = try_payload(LISTED, certain, port=80)
    assert (out.outcome, out.blocked, out.at_risk, out.middlebox, out.action, out.chance) == ("blocked", True, True, "a", "reset", 1.0)
    assert (out.experience.ending, out.answers) == ("reset", ())
    assert "answer to message 1" in out.experience.says
    forged = [event for event in out.trace if event.what == "injected"]
    assert [(event.sender, event.toward, event.packet.flags, event.injected_by) for event in forged] == [
        ("wall", "client", RST, "a"), ("wall", "server", RST, "a"),
    ]
    (evidence,) = out.evidence
    assert (evidence.read, evidence.value) == ("http.host", "blocked.example")
    assert out.trace[evidence.packet - 1].packet.payload == LISTED
    assert LISTED[evidence.offset :].startswith(b"blocked.example")


def test_the_seed_draws_and_the_chance_stays(tmp_path: Path) -> None:
    walls = [wall_with(tmp_path, box("a", chance='p = 0.25, per = "flow"'), seed=seed) for seed in range(200)]
    outs = [try_payload(LISTED, wall, port=80) for wall in walls]
    assert {out.chance for out in outs} == {0.25}
    assert all(out.at_risk and out.evidence for out in outs)
    assert sum(out.blocked for out in outs) == pytest.approx(50, abs=25)
    assert {out.outcome for out in outs} == {"blocked", "passed"}


def test_each_repetition_draws_anew(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", chance='p = 0.25, per = "flow"'))
    drawn = [try_payload(LISTED, wall, port=80, trial=trial).blocked for trial in range(200)]
    assert sum(drawn) == pytest.approx(50, abs=25)
    assert drawn == [try_payload(LISTED, wall, port=80, trial=trial).blocked for trial in range(200)]


def test_what_is_tolerated_is_no_risk(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", chance='p = 0.25, per = "flow"'))
    assert not try_payload(LISTED, wall, port=80, tolerate=0.25).at_risk
    assert try_payload(LISTED, wall, port=80, tolerate=0.2499).at_risk


def test_a_refused_handshake_leaves_what_the_next_box_would_have_read_in_the_evidence(tmp_path: Path) -> None:
    port_box = box(
        "port", trigger='reads = "tcp.port", ports = [80], packets = ["syn"]', chance='p = 1.0, per = "event"', tcb=None,
        reaction=RESET.replace('"R"', '"RA"').replace('"zero"', '"trigger-end"'),
    )
    out = try_payload(LISTED, wall_with(tmp_path, port_box, box("a", chance='p = 1.0, per = "flow"')), port=80)
    assert (out.middlebox, out.experience.ending) == ("port", "refused")
    assert {trigger.middlebox: trigger.acted for trigger in out.triggers} == {"port": True, "a": False}
    assert {one.middlebox: bool(one.packet) for one in out.evidence} == {"port": True, "a": False}


def test_a_withheld_answer_is_a_time_out_while_connecting(tmp_path: Path) -> None:
    withholding = box(
        "port", trigger='reads = "tcp.port", ports = [80], packets = ["syn-ack"]', chance='p = 1.0, per = "event"', tcb=None,
        reaction="withhold = true", placement="in-path",
    )
    out = try_payload(LISTED, wall_with(tmp_path, withholding), port=80)
    assert (out.outcome, out.action, out.experience.ending, out.experience.time) == ("blocked", "drop", "timed out", seconds(30))
    assert "a connection" in out.experience.says
    assert {event.packet.flags & SYN for event in out.trace} == {SYN}


def test_a_forged_answer_misleads_and_the_true_one_comes_late() -> None:
    out = try_url("blocked.example", crenel.load_wall("gfw", as_of="2020-01-15"))
    assert (out.outcome, out.blocked, out.experience.ending, out.action) == ("tampered", True, "misled", "forge")
    *forged, true = out.answers
    assert forged
    assert all(not answer.intact and answer.forged_by for answer in forged)
    assert {answer.forged_by for answer in forged} == {trigger.middlebox for trigger in out.triggers if trigger.acted}
    assert (true.intact, true.forged_by) == (True, None)
    assert [answer.time for answer in out.answers] == sorted(answer.time for answer in out.answers)
    assert (out.experience.time, out.experience.says) == (forged[0].time, forged[0].says)


def test_where_only_the_path_fails_the_wall_is_not_to_blame(certain: Wall) -> None:
    place = msgspec.structs.replace(cast("About", certain.about).place, loss=1.0)
    lossy = copy.copy(certain)
    lossy.about = msgspec.structs.replace(cast("About", certain.about), place=place)
    out = try_payload(LISTED, lossy, port=80)
    assert (out.outcome, out.blocked, out.at_risk, out.experience.ending) == ("failed", False, False, "timed out")


def test_a_datagram_and_its_port_matter(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("dns", transport="udp", trigger=QUERY, chance='p = 0.5, per = "event"', tcb=None))
    assert chance(build_query(b"blocked.example"), wall, transport="udp", port=53) == 0.5
    assert chance(build_query(b"blocked.example"), wall, transport="tcp", port=53) == 0


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
        (b"", "tcp", 443, "empty"), ((), "tcp", 443, "empty"), ((b"x", b""), "tcp", 443, "empty"),
        (bytes(LONGEST_PAYLOAD + 1), "tcp", 443, "1048577 bytes"), (bytes(65508), "udp", 443, "at most 65507"),
        (b"x", "icmp", 443, "tcp or udp"), (b"x", "tcp", 0, "port 0"), (b"x", "tcp", 65536, "port 65536"), (b"x", "tcp", -1, "port -1"),
    ],
)
def test_what_cannot_be_tried_is_said_in_one_sentence(certain: Wall, payload: bytes, transport: str, port: int, words: str) -> None:
    for attempt in (chance, try_payload):
        with pytest.raises(UsageError, match=words):
            attempt(payload, certain, transport=transport, port=port)  # type: ignore[arg-type]


def test_the_longest_payloads_are_tried_and_arrive(certain: Wall) -> None:
    assert chance(bytes(LONGEST_PAYLOAD), certain) == 0
    assert chance(bytes(65507), certain, transport="udp") == 0
    assert try_payload(bytes(LONGEST_PAYLOAD), certain).outcome == "passed"


def test_several_payloads_follow_one_another(certain: Wall) -> None:
    assert payloads_of(try_payload((b"one", b"two", b"three"), certain)) == [b"one", b"two", b"three"]
    late = try_payload((UNLISTED, LISTED), certain, port=80)
    assert (late.outcome, late.experience.says.rpartition("for ")[2]) == ("blocked", "the answer to message 2 of 2")


def test_random_bytes_never_fail() -> None:
    dice = random.Random(3)
    walls = [crenel.load_wall(as_of=as_of) for as_of in ("2017-05-01", "2020-01-15", "2022-06-01", "2025-01-15")]
    for _ in range(60):
        payload = dice.randbytes(dice.randrange(1, 400))
        for wall in walls:
            for transport in ("tcp", "udp"):
                out = try_payload(payload, wall, transport=transport, port=dice.choice([25, 53, 80, 443, 9000]))
                assert 0 <= out.chance <= 1
                assert bool(out.triggers) == bool(out.evidence)
                assert out.outcome != "failed"


def test_the_package_offers_them() -> None:
    assert (crenel.try_payload, crenel.try_url, crenel.chance, crenel.Session) == (try_payload, try_url, chance, Session)


def test_another_vantage_has_its_own_curve() -> None:
    """The chance of a box with curves by city follows the vantage that is asked for, not the one the wall was loaded with."""
    wall = crenel.load_wall(as_of="2025-01-15T04:00")
    message = build_hello_message(b"blocked.example", random=bytes(32))
    hello = build_initial([build_crypto_frame(0, message)], dcid=b"12345678", pad_to=1200)
    cities = {name: chance(hello, wall, "udp", 443, vantage=name) for name in ("beijing", "guangzhou", "shanghai")}
    assert cities == {"beijing": 0.682, "guangzhou": 0.444, "shanghai": 0.481}
    assert chance(hello, wall, "udp", 443) == cities["beijing"]
    assert try_payload(hello, wall, transport="udp", vantage="shanghai").chance == cities["shanghai"]



def remembering() -> Wall:
    return crenel.load_wall("gfw", as_of="2024-06-01")


@pytest.mark.parametrize(("pause", "outcome"), [(10.0, "blocked"), (179.0, "blocked"), (181.0, "passed"), (3600.0, "passed")])
def test_a_session_remembers_as_long_as_the_wall_does(pause: float, outcome: str) -> None:
    session = Session(remembering())
    assert session.try_url("https://blocked.example/").outcome == "blocked"
    session.wait(pause)
    later = session.try_url("https://allowed.example/")
    assert (later.outcome, later.residual, later.chance, later.at_risk) == (outcome, outcome == "blocked", 0.0, False)
    assert Session(remembering()).try_url("https://allowed.example/").outcome == "passed"


def test_time_in_a_session_goes_on_and_never_back(certain: Wall) -> None:
    session = Session(certain)
    begin = session.now
    out = session.try_payload(UNLISTED)
    assert session.now == begin + out.experience.time
    session.wait(2.5)
    again = session.try_payload(UNLISTED)
    assert again.start == begin + out.experience.time + seconds(2.5)
    assert again.trace[0].packet.sport != out.trace[0].packet.sport
    assert {event.number for event in out.trace}.isdisjoint(event.number for event in again.trace)
    with pytest.raises(UsageError, match="backwards"):
        session.wait(-1.0)


def test_a_wall_of_no_atlas_stands_on_a_short_path(certain: Wall) -> None:
    bare = Wall("bare", "made by hand", certain.boxes, limits=certain.limits, utc_offset=3, hour=None)
    out = try_payload(LISTED, bare, port=80)
    assert (out.outcome, bare.hour_at(out.start)) == ("blocked", 12)


def test_an_address_in_the_url_is_where_the_server_stands(certain: Wall) -> None:
    assert try_url("http://203.0.113.9/", certain).trace[0].packet.dst == bytes((203, 0, 113, 9))
    six = try_url("http://[2001:db8::9]:8080/", certain)
    assert (six.trace[0].packet.version, six.trace[0].packet.dport, six.outcome) == (6, 8080, "passed")


SLOW = 'throttle = { bytes_per_second = 20000, burst = 20000, toward = "client" }'


def test_a_throttled_page_comes_late_and_whole(tmp_path: Path) -> None:
    """TCP's loss recovery finds most of the 20 kB a second that the bucket leaves it, and none above."""
    wall = wall_with(tmp_path, box("slow", chance='p = 1.0, per = "flow"', reaction=SLOW, placement="in-path"))
    page = 300_000
    free, held = (
        try_target(Target(host, Http(host=host, body_size=page), host), wall) for host in ("allowed.example", "blocked.example")
    )
    assert (free.outcome, free.middlebox, held.outcome, held.middlebox, held.action) == ("passed", None, "passed", "slow", "throttle")
    assert held.at_risk
    assert free.experience.time < seconds(2)
    assert 0.7 * 20_000 < (page - 20_000) * 1e9 / held.experience.time <= 20_000
    assert {event.dropped_by for event in held.trace if event.what == "dropped"} == {"slow"}


def test_a_page_in_place_of_the_answer_is_tampering() -> None:
    wall = crenel.load_wall(str(Path(__file__).parents[2] / "walls" / "citadel.toml"), as_of="2030-06-01", vantage="beijing")
    out = try_url("http://blocked.example/", wall)
    assert (out.outcome, out.experience.ending, out.experience.says[:8]) == ("tampered", "misled", "HTTP 451")
    assert [(answer.intact, answer.forged_by) for answer in out.answers] == [(False, out.middlebox)]
