"""Packets of TCP flows, whole, partial and one after another on the same ports, in; which flows they are and what became of each, out."""

from pathlib import Path

import msgspec
import pytest

from crenel.atlas.compile import load_wall
from crenel.net.trace import FlowReport
from crenel.wire.packet import ACK, FIN, RST, SYN, tcp_packet
from tests.net.made import HEAD, QUERY, box
from tests.net.replay.traffic import CLIENT, CLIENT6, CONTAINERS, LISTED, SECOND, SERVER, SERVER6, START, UNLISTED, Sent, Talk, check, query
from tests.net.test_odds import TOSSING

pytestmark = pytest.mark.parametrize("container", CONTAINERS)

MINUTE = 60 * SECOND


def fates(folder: Path, packets: list[Sent], container: str, inside: tuple[str, ...] = ()) -> list[tuple[str, bool, str | None, int | None, int]]:
    """Return verdict, completeness, box, packet and number of packets of each flow."""
    flows = check(folder, packets, container, inside=inside)
    assert [flow.flow for flow in flows] == list(range(1, len(flows) + 1))
    return [(flow.verdict, flow.complete, flow.middlebox, flow.at_packet, flow.packets) for flow in flows]


# How a flow begins.


def test_a_whole_connection(tmp_path: Path, container: str) -> None:
    talk = Talk()
    packets: list[Sent] = [*talk.shake(), talk.say(LISTED), talk.hear(b"HTTP/1.1 200 OK\r\n\r\n"), *talk.end()]
    assert fates(tmp_path, packets, container) == [("blocked", True, "web", 4, 7)]


def test_the_nearest_that_is_not_listed(tmp_path: Path, container: str) -> None:
    talk = Talk()
    assert fates(tmp_path, [*talk.shake(), talk.say(UNLISTED), *talk.end()], container) == [("pass", True, None, None, 6)]


def test_a_syn_and_nothing_else(tmp_path: Path, container: str) -> None:
    (flow,) = check(tmp_path, [Talk().syn()], container)
    assert (flow.verdict, flow.complete, flow.packets, flow.bytes, flow.protocol, flow.name) == ("pass", True, 1, 40, "unknown", None)
    assert (flow.client, flow.client_port, flow.server, flow.server_port) == ("192.0.2.7", 40000, "198.51.100.9", 80)


def test_a_syn_and_data_without_the_answer(tmp_path: Path, container: str) -> None:
    talk = Talk()
    assert fates(tmp_path, [talk.syn(), talk.say(LISTED)], container) == [("blocked", True, "web", 2, 2)]


def test_an_answer_without_its_syn_is_given_it(tmp_path: Path, container: str) -> None:
    talk = Talk()
    packets: list[Sent] = [talk.syn_ack(), talk.bare_ack(), talk.say(LISTED)]
    (flow,) = check(tmp_path, packets, container)
    assert (flow.client, flow.client_port, flow.server, flow.server_port) == ("192.0.2.7", 40000, "198.51.100.9", 80)
    assert (flow.verdict, flow.complete, flow.at_packet, flow.packets, flow.name) == ("blocked", True, 3, 3, "blocked.example")


def test_data_without_a_beginning_is_undetermined(tmp_path: Path, container: str) -> None:
    talk = Talk()
    assert fates(tmp_path, [talk.bare_ack(), talk.say(LISTED)], container) == [("undetermined", False, None, None, 2)]
    (flow,) = check(tmp_path, [talk.say(LISTED)], container)
    assert (flow.verdict, flow.chance, flow.at_risk, flow.triggers, flow.protocol, flow.name) == (
        "undetermined", 0.0, False, (), "http", "blocked.example",
    )


def test_whoever_speaks_first_is_taken_for_the_client_where_no_opening_was_seen(tmp_path: Path, container: str) -> None:
    talk = Talk()
    (flow,) = check(tmp_path, [talk.hear(b"hello"), talk.say(b"x")], container)
    assert (flow.client, flow.client_port, flow.complete) == ("198.51.100.9", 80, False)


def test_a_reset_alone_is_undetermined(tmp_path: Path, container: str) -> None:
    packet = tcp_packet(CLIENT, SERVER, 40000, 80, seq=1, flags=RST)
    assert fates(tmp_path, [packet], container) == [("undetermined", False, None, None, 1)]


@pytest.mark.parametrize("isn", [0, 0xFFFFFFFE, 0xFFFFFFFF, 0x7FFFFFFF])
def test_sequence_numbers_wrap(tmp_path: Path, container: str, isn: int) -> None:
    talk = Talk(isn=isn)
    talk.seq = (isn + 1) & 0xFFFFFFFF
    answer = msgspec.structs.replace(talk.syn_ack(), ack=talk.seq)
    packets: list[Sent] = [talk.syn(), answer, talk.say(LISTED[:20]), talk.say(LISTED[20:])]
    assert fates(tmp_path, packets, container) == [("blocked", True, "web", 4, 4)]
    talk.seq = (isn + 1) & 0xFFFFFFFF
    assert fates(tmp_path, [answer, talk.say(LISTED)], container) == [("blocked", True, "web", 2, 2)]


# Old ports, new flows.


def test_a_repeated_syn_is_the_same_flow(tmp_path: Path, container: str) -> None:
    talk = Talk()
    packets: list[Sent] = [talk.syn(), talk.syn(), *talk.shake(), talk.say(LISTED)]
    assert fates(tmp_path, packets, container) == [("blocked", True, "web", 6, 6)]
    assert len(fates(tmp_path, [talk.syn(), (2 * MINUTE, talk.syn())], container)) == 1


@pytest.mark.parametrize(("isn", "flows"), [(1000, 1), (9000, 2)])
@pytest.mark.parametrize("ending", ["fin", "rst"])
def test_after_an_end_a_syn_with_another_number_opens_anew(tmp_path: Path, container: str, ending: str, isn: int, flows: int) -> None:
    old, new = Talk(), Talk(isn=isn)
    end = old.say(b"", flags=FIN | ACK if ending == "fin" else RST)
    packets: list[Sent] = [*old.shake(), old.say(UNLISTED), end, *new.shake(), new.say(LISTED)]
    reports = check(tmp_path, packets, container).flows
    assert len(reports) == flows
    if flows == 2:
        assert [(flow.verdict, flow.packets, flow.at_packet) for flow in reports] == [("pass", 5, None), ("blocked", 4, 9)]


def test_without_an_end_another_number_opens_nothing_at_once(tmp_path: Path, container: str) -> None:
    old, new = Talk(), Talk(isn=9000)
    assert len(fates(tmp_path, [*old.shake(), old.say(UNLISTED), new.syn()], container)) == 1


@pytest.mark.parametrize(("silence", "flows"), [(MINUTE - 1, 1), (MINUTE, 1), (MINUTE + 1, 2)])
def test_after_a_minute_of_silence_another_number_opens_anew(tmp_path: Path, container: str, silence: int, flows: int) -> None:
    old, new = Talk(), Talk(isn=9000)
    packets: list[Sent] = [(0, old.syn()), (SECOND, old.say(UNLISTED)), (SECOND + silence, new.syn())]
    assert len(fates(tmp_path, packets, container)) == flows


@pytest.mark.parametrize(("silence", "flows"), [(MINUTE, 1), (MINUTE + 1, 2)])
def test_packets_that_are_only_counted_break_the_silence(tmp_path: Path, container: str, silence: int, flows: int) -> None:
    old, new = Talk(), Talk(isn=9000)
    packets: list[Sent] = [(0, old.syn()), (1, old.syn_ack()), (2, old.say(LISTED)), (MINUTE, old.hear(b"x")), (MINUTE + silence, new.syn())]
    assert len(fates(tmp_path, packets, container)) == flows


def test_a_beginning_opens_anew_where_none_was_seen(tmp_path: Path, container: str) -> None:
    old, new = Talk(), Talk(isn=9000)
    reports = check(tmp_path, [old.say(UNLISTED), *new.shake(), new.say(LISTED)], container).flows
    assert [(flow.verdict, flow.complete, flow.packets) for flow in reports] == [("undetermined", False, 1), ("blocked", True, 4)]


def test_the_other_ends_syn_opens_the_same_connection_from_both_sides(tmp_path: Path, container: str) -> None:
    talk = Talk()
    packets: list[Sent] = [talk.syn(), tcp_packet(SERVER, CLIENT, 80, 40000, seq=5000, flags=SYN), talk.say(LISTED)]
    assert [flow.packets for flow in check(tmp_path, packets, container)] == [3]


def test_packets_after_a_reset_still_belong_to_their_flow(tmp_path: Path, container: str) -> None:
    talk = Talk()
    packets: list[Sent] = [*talk.shake(), talk.say(b"", flags=RST), talk.hear(b"late"), talk.say(b"later")]
    assert [flow.packets for flow in check(tmp_path, packets, container)] == [6]


def test_both_ends_may_use_one_port(tmp_path: Path, container: str) -> None:
    talk = Talk(sport=80, dport=80)
    packets: list[Sent] = [*talk.shake(), talk.hear(b"hi"), talk.say(LISTED)]
    (flow,) = check(tmp_path, packets, container)
    assert (flow.client, flow.server, flow.client_port, flow.server_port) == ("192.0.2.7", "198.51.100.9", 80, 80)
    assert (flow.verdict, flow.at_packet, flow.packets) == ("blocked", 5, 5)


def test_even_an_end_that_speaks_to_itself_is_a_flow(tmp_path: Path, container: str) -> None:
    talk = Talk(sport=80, dport=80, client=CLIENT, server=CLIENT)
    flows = check(tmp_path, [talk.syn(), talk.say(LISTED)], container)
    assert [(flow.client, flow.server, flow.packets) for flow in flows] == [("192.0.2.7", "192.0.2.7", 2)]


def test_tcp_and_udp_on_the_same_ports_are_two_flows(tmp_path: Path, container: str) -> None:
    talk = Talk(sport=50000, dport=53)
    flows = check(tmp_path, [talk.syn(), query(b"blocked.example"), talk.say(LISTED)], container)
    assert [(flow.transport, flow.verdict, flow.middlebox, flow.at_packet) for flow in flows] == [
        ("tcp", "blocked", "web", 3), ("udp", "blocked", "dns", 2),
    ]


# What arrives how.


@pytest.mark.parametrize("cut", [1, 5, 16, 25, 36])
def test_a_request_in_pieces(tmp_path: Path, container: str, cut: int) -> None:
    talk = Talk()
    first, second = talk.say(LISTED[:cut]), talk.say(LISTED[cut:])
    begin: list[Sent] = list(talk.shake())
    (flow,) = check(tmp_path, [*begin, first, second], container)
    assert (flow.verdict, flow.at_packet, flow.names) == ("blocked", 5, ("blocked.example",))
    (turned,) = check(tmp_path, [*begin, second, first], container)
    assert (turned.verdict, turned.at_packet, turned.names) == ("blocked", 5, ("blocked.example",))
    (twice,) = check(tmp_path, [*begin, first, first, second, first, second], container)
    assert (twice.verdict, twice.at_packet, twice.names, twice.packets) == ("blocked", 6, ("blocked.example",), 8)


def test_a_retransmission_gives_no_second_ground(tmp_path: Path, container: str) -> None:
    talk = Talk()
    data = talk.say(LISTED)
    (flow,) = check(tmp_path, [*talk.shake(), data, data, data], container)
    assert (len(flow.evidence), len(flow.triggers), flow.at_packet, flow.packets, flow.names) == (1, 1, 4, 6, ("blocked.example",))


def test_data_on_the_syn_is_not_read_twice(tmp_path: Path, container: str) -> None:
    talk = Talk()
    syn = msgspec.structs.replace(talk.syn(), payload=LISTED[:8])
    (flow,) = check(tmp_path, [syn, talk.syn_ack(), talk.bare_ack(), talk.say(LISTED)], container)
    assert (flow.packets, flow.names) == (4, ("blocked.example",))


def test_the_servers_data_is_nobodys_request(tmp_path: Path, container: str) -> None:
    talk = Talk()
    (flow,) = check(tmp_path, [*talk.shake(), talk.hear(LISTED)], container)
    assert (flow.verdict, flow.name, flow.protocol) == ("pass", None, "unknown")


# Which side of the wall.


def one_sided(folder: Path, side: str) -> str:
    path = folder / "sided.toml"
    path.write_text(HEAD + box("web", chance='p = 1.0, per = "flow"').replace('["inside", "outside"]', f'["{side}"]'))
    return str(path)


@pytest.mark.parametrize(
    ("inside", "behind"),
    [
        ((), True), (("192.0.2.0/24",), True), (("192.0.2.7",), True), (("192.0.2.7/24",), True), (("198.51.100.0/24",), False),
        (("2001:db8::/32",), False), (("10.0.0.0/8", "192.0.2.0/29"), True), (("192.0.2.8/29",), False), (("0.0.0.0/0",), True), (("::/0",), False),
    ],
)  # fmt: skip
def test_the_openers_address_decides_on_which_side_a_flow_begins(tmp_path: Path, container: str, inside: tuple[str, ...], behind: bool) -> None:
    talk = Talk()
    whole: list[Sent] = [*talk.shake(), talk.say(LISTED)]
    for packets in (whole, whole[1:]):
        for side in ("inside", "outside"):
            (flow,) = check(tmp_path, packets, container, wall=load_wall(one_sided(tmp_path, side), as_of="2020-01-01"), inside=inside)
            assert (flow.verdict == "blocked") is (behind == (side == "inside"))


def test_the_six_of_ip(tmp_path: Path, container: str) -> None:
    talk = Talk(client=CLIENT6, server=SERVER6)
    packets: list[Sent] = [*talk.shake(), talk.say(LISTED), query(b"blocked.example", client=CLIENT6, server=SERVER6)]
    web, dns = check(tmp_path, packets, container)
    assert (web.client, web.server, web.verdict, web.at_packet, web.bytes) == ("2001:db8::7", "2001:db8::9", "blocked", 4, 4 * 60 + len(LISTED))
    assert (dns.client, dns.server, dns.verdict, dns.at_packet) == ("2001:db8::7", "2001:db8::9", "blocked", 5)


# Counts, places and times.


def test_packets_and_bytes_are_those_of_ip(tmp_path: Path, container: str) -> None:
    talk = Talk()
    datagram = query(b"allowed.example")
    talking: list[Sent] = [*talk.shake(), talk.say(UNLISTED), talk.hear(b"y" * 1000), talk.hear(b"z"), datagram, datagram]
    web, dns = check(tmp_path, talking, container)
    assert (web.packets, web.bytes) == (6, 6 * 40 + len(UNLISTED) + 1001)
    assert (dns.packets, dns.bytes) == (2, 2 * (28 + len(datagram.payload)))


def test_places_are_those_in_the_capture(tmp_path: Path, container: str) -> None:
    talks = [Talk(sport=40000 + number) for number in range(3)]
    packets: list[Sent] = [packet for talk in talks for packet in talk.shake()]
    packets += [talks[0].say(UNLISTED), talks[2].say(LISTED), query(b"blocked.example"), talks[1].say(LISTED)]
    flows = check(tmp_path, packets, container).flows
    assert [(flow.client_port, flow.at_packet) for flow in flows] == [(40000, None), (40001, 13), (40002, 11), (50000, 12)]
    assert [one.packet for flow in flows for one in flow.evidence] == [13, 11, 12]


@pytest.mark.parametrize(("at", "shown"), [(0, "1700000000.000000000"), (1, "1700000000.000000001"), (999_999_999, "1700000000.999999999"),
                                           (61 * SECOND + 500_000_000, "1700000061.500000000")])  # fmt: skip
def test_the_start_has_nine_decimals(tmp_path: Path, container: str, at: int, shown: str) -> None:
    talk = Talk()
    assert START % SECOND == 0
    (flow,) = check(tmp_path, [(at, talk.syn()), (at + SECOND, talk.say(LISTED))], container)
    assert flow.start == shown


def test_time_may_run_backwards(tmp_path: Path, container: str) -> None:
    talk = Talk()
    packets: list[Sent] = [(5 * SECOND, talk.syn()), (4 * SECOND, talk.syn_ack()), (0, talk.say(LISTED))]
    assert fates(tmp_path, packets, container) == [("blocked", True, "web", 3, 3)]


# A forecast.


def acted(flow: FlowReport) -> list[tuple[str, bool]]:
    return [(trigger.middlebox, trigger.acted) for trigger in flow.triggers]


def test_once_a_box_has_acted_the_flow_triggers_nothing_more_but_is_read_on(tmp_path: Path, container: str) -> None:
    talk = Talk()
    other = LISTED.replace(b"blocked.example", b"other.example")
    packets: list[Sent] = [*talk.shake(), talk.say(LISTED), talk.hear(b"HTTP/1.1 200 OK\r\n\r\n"), talk.say(other), talk.say(LISTED)]
    (flow,) = check(tmp_path, packets, container)
    assert (flow.at_packet, acted(flow), flow.names) == (4, [("web", True)], ("blocked.example", "other.example"))
    assert [(one.value, one.packet) for one in flow.evidence] == [("blocked.example", 4)]


def test_resets_of_the_capture_are_packets_like_any_other(tmp_path: Path, container: str) -> None:
    talk = Talk()
    reset = talk.hear(b"", flags=RST | ACK)
    (flow,) = check(tmp_path, [*talk.shake(), reset, talk.say(LISTED)], container)
    assert (flow.verdict, flow.at_packet, flow.packets) == ("blocked", 5, 5)  # this model does not look at resets


def test_the_chance_does_not_depend_on_the_seed(tmp_path: Path, container: str) -> None:
    (tmp_path / "half.toml").write_text(HEAD + TOSSING + box("web", tcb="tossing") + box("more", chance='p = 0.25, per = "flow"')
                                        + box("dns", transport="udp", tcb=None, trigger=QUERY, chance='p = 0.25, per = "event"'))  # fmt: skip
    seen, verdicts = set(), set()
    for seed in range(40):
        talk = Talk()
        packets: list[Sent] = [*talk.shake(), talk.say(b"", flags=RST), talk.say(LISTED), query(b"blocked.example")]
        web, dns = check(tmp_path, packets, container, wall=load_wall(str(tmp_path / "half.toml"), as_of="2020-01-01", seed=seed))
        seen.add((web.chance, dns.chance, *((trigger.middlebox, trigger.chance) for trigger in (*web.triggers, *dns.triggers))))
        verdicts |= {web.verdict, dns.verdict}
        assert web.verdict == ("blocked" if any(trigger.acted for trigger in web.triggers) else "pass")
    ((whole, answer, *boxes),) = seen
    assert (whole, answer) == (pytest.approx(1 - 0.625 * 0.75), 0.25)
    assert boxes == [("web", 0.375), ("more", 0.25), ("dns", 0.25)]
    assert verdicts == {"pass", "blocked"}


REMEMBERS = """residual = { tuple = ["client", "server"], seconds = 90, refresh = false, from = "both", on = "payload", does = "drop", \
chances = [1.0], onset = { fixed = 0 } }"""


@pytest.mark.parametrize(
    ("after", "hit"), [(2 * SECOND, True), (90 * SECOND, True), (91 * SECOND, False)],
)  # fmt: skip
def test_a_box_that_remembers_hits_the_next_flow(tmp_path: Path, container: str, after: int, hit: bool) -> None:
    (tmp_path / "memory.toml").write_text(HEAD + box("web", chance='p = 1.0, per = "flow"', more=REMEMBERS))
    wall = load_wall(str(tmp_path / "memory.toml"), as_of="2020-01-01")
    first, second, elsewhere = Talk(), Talk(sport=40001), Talk(sport=40002, server=bytes((198, 51, 100, 10)))
    packets: list[Sent] = [
        (0, first.syn()), (1, first.say(LISTED)), (after - 2, second.syn()), (after - 1, second.syn_ack()), (after, second.say(UNLISTED)),
        (after + 1, elsewhere.syn()), (after + 2, elsewhere.say(UNLISTED)),
    ]  # fmt: skip
    armed, later, other = check(tmp_path, packets, container, wall=wall)
    assert (armed.verdict, armed.residual, armed.action, armed.at_packet) == ("blocked", False, "reset", 2)
    assert (other.verdict, other.residual, other.evidence) == ("pass", False, ())
    assert (later.residual, later.verdict, later.middlebox, later.action, later.at_packet) == (
        (True, "blocked", "web", "drop", 5) if hit else (False, "pass", None, None, None)
    )
    if hit:
        (evidence,) = later.evidence
        assert (evidence.middlebox, evidence.armed_by, evidence.packet) == ("web", 1, 5)
        assert evidence.residual is not None
