"""Grounds in, forged segments out: whose numbers they carry, how many there are, and where each goes."""

from collections.abc import MutableMapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.coins import Coins, KeyedCoins, ScriptedCoins
from crenel.wall.reaction import Bucket, Forger, Reaction
from crenel.wire.packet import ACK, FIN, IP_DF, PSH, RST, SYN, URG, Packet, tcp_packet
from tests.wall.making import CLIENT, CLIENT6, SERVER, SERVER6, residual, template

GROUND = tcp_packet(CLIENT, SERVER, 50000, 80, seq=100, ack=900, flags=PSH | ACK, payload=b"x" * 30, window=512, ttl=57, ident=777)
WIDE = 1 << 32


def forged(
    ground: Packet = GROUND, *, from_client: bool = True, coins: Coins | None = None, counters: MutableMapping[str, int] | None = None, **changes: object
) -> list[tuple[Packet, bool, int]]:
    forger = Forger("box", 0, template(**changes))
    return forger.forge(ground, coins or ScriptedCoins(), b"scope", {} if counters is None else counters, from_client=from_client)


def one(ground: Packet = GROUND, *, from_client: bool = True, **changes: object) -> Packet:
    ((packet, _, _),) = forged(ground, from_client=from_client, **changes)
    return packet


@pytest.mark.parametrize(
    ("letters", "bits"), [("", 0), ("R", RST), ("RA", RST | ACK), ("SA", SYN | ACK), ("FPA", FIN | PSH | ACK), ("U", URG), ("FSRPAU", 63)]
)
def test_letters_are_flags(letters: str, bits: int) -> None:
    assert one(toward=["client"], flags=letters).flags == bits


def test_each_end_gets_its_own_as_if_from_the_other() -> None:
    (to_client, first, _), (to_server, second, _) = forged()
    assert (first, second) == (True, False)
    assert (to_client.src, to_client.sport, to_client.dst, to_client.dport) == (SERVER, 80, CLIENT, 50000)
    assert (to_server.src, to_server.sport, to_server.dst, to_server.dport) == (CLIENT, 50000, SERVER, 80)


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_ground_from_the_server_turns_the_ends_round(end: str) -> None:
    """The packet goes to the same host, whoever sent the ground."""
    answer = msgspec.structs.replace(GROUND, src=SERVER, dst=CLIENT, sport=80, dport=50000)
    ((by_client, goes, _),) = forged(toward=[end])
    ((by_server, goes_too, _),) = forged(answer, from_client=False, toward=[end])
    assert goes == goes_too == (end == "client")
    assert (by_client.src, by_client.dst, by_client.sport, by_client.dport) == (by_server.src, by_server.dst, by_server.sport, by_server.dport)


@pytest.mark.parametrize(("from_client", "end"), [(True, "client"), (False, "server")])
def test_what_returns_to_the_sender_begins_at_what_it_acknowledged(from_client: bool, end: str) -> None:
    assert one(from_client=from_client, toward=[end]).seq == 900
    assert one(from_client=from_client, toward=[end], ack="trigger-end").ack == 130


@pytest.mark.parametrize(("from_client", "end"), [(True, "server"), (False, "client")])
def test_what_goes_on_begins_where_the_ground_ended(from_client: bool, end: str) -> None:
    assert one(from_client=from_client, toward=[end]).seq == 130
    assert one(from_client=from_client, toward=[end], ack="trigger-end").ack == 900


@pytest.mark.parametrize("end", ["client", "server"])
def test_an_acknowledgement_of_zero_is_zero(end: str) -> None:
    assert one(toward=[end], ack="zero").ack == 0


@pytest.mark.parametrize(("flags", "spent"), [(ACK, 30), (SYN, 31), (FIN | ACK, 31), (RST | ACK, 30), (PSH | ACK, 30), (URG | ACK, 30)])
def test_a_syn_and_a_fin_take_a_sequence_number(flags: int, spent: int) -> None:
    ground = msgspec.structs.replace(GROUND, flags=flags)
    assert one(ground, toward=["client"], ack="trigger-end").ack == 100 + spent
    assert one(ground, toward=["server"]).seq == 100 + spent


def test_copies_stand_at_their_offsets_and_the_last_repeats() -> None:
    made = forged(toward=["client"], copies=5, seq=[0, 1460, 4380])
    assert [packet.seq - 900 for packet, _, _ in made] == [0, 1460, 4380, 4380, 4380]
    assert [packet.seq - 900 for packet, _, _ in forged(toward=["client"], copies=2, seq=[0, 1460, 4380])] == [0, 1460]


def test_copies_go_to_one_end_and_then_to_the_other() -> None:
    made = forged(copies=2, seq=[0, 1], toward=["server", "client"])
    assert [(goes, packet.seq) for packet, goes, _ in made] == [(False, 130), (False, 131), (True, 900), (True, 901)]


@given(seq=st.integers(0, WIDE - 1), ack=st.integers(0, WIDE - 1), offset=st.integers(-70000, 70000), size=st.integers(0, 40))
def test_sequence_numbers_wrap(seq: int, ack: int, offset: int, size: int) -> None:
    ground = msgspec.structs.replace(GROUND, seq=seq, ack=ack, payload=b"x" * size)
    for packet, to_client, _ in forged(ground, seq=[offset], ack="trigger-end"):
        assert packet.seq == ((ack if to_client else seq + size) + offset) % WIDE
        assert packet.ack == ((seq + size) % WIDE if to_client else ack)


def test_numbers_of_the_ground_are_mirrored() -> None:
    packet = one(toward=["client"], ttl={"mirror": True}, ip_id={"mirror": True, "step": 1}, window={"mirror": True})
    assert (packet.ttl, packet.ident, packet.window) == (57, 777, 512)


def test_a_line_leads_from_the_forged_window_to_the_time_to_live() -> None:
    """Not from the ground's window: the two numbers of one forged packet depend on one another."""
    packet = one(toward=["client"], window={"fixed": 100}, ttl={"line": [10.0, 0.5, 0]}, ip_id={"line": [0.0, 2.0, 0]})
    assert (packet.ttl, packet.ident) == (60, 200)


def test_further_copies_step_and_count_while_drawn_numbers_stay() -> None:
    made = forged(
        coins=KeyedCoins(1), toward=["client"], copies=3, ttl={"between": [1, 255]}, ip_id={"fixed": 65535, "step": 1}, window={"counter": [7, 7, 1]}
    )
    assert [packet.ident for packet, _, _ in made] == [65535, 0, 1]
    assert len({packet.ttl for packet, _, _ in made}) == 1
    assert {packet.window for packet, _, _ in made} == {7}


def test_a_counter_goes_on_with_every_copy_end_and_ground() -> None:
    counters: dict[str, int] = {}
    seen = [
        [packet.ttl for packet, _, _ in forged(coins=ScriptedCoins(), counters=counters, copies=2, ttl={"counter": [1, 255, 1]})] for _ in range(2)
    ]
    assert seen == [[128, 129, 130, 131], [132, 133, 134, 135]]


def test_two_templates_of_a_box_draw_apart() -> None:
    rule = {"between": [0, 65535]}
    made = [Forger("box", number, template(window=rule)).forge(GROUND, KeyedCoins(0), b"s", {}, from_client=True)[0][0].window for number in (0, 1)]
    assert made[0] != made[1]


def test_a_delay_is_microseconds_and_the_same_for_all_copies() -> None:
    assert {delay for _, _, delay in forged(copies=3, delay={"fixed": 250})} == {250_000}


def test_do_not_fragment_is_set_where_the_profile_says_so() -> None:
    assert one(toward=["client"], df=True).ip_flags == IP_DF
    assert one(toward=["client"], df=False).ip_flags == 0


def test_ipv6_has_no_identification_and_no_such_flag() -> None:
    ground = tcp_packet(CLIENT6, SERVER6, 50000, 80, seq=100, ack=900, flags=ACK, payload=b"x")
    packet = one(ground, toward=["client"], df=True, ip_id={"fixed": 9}, ttl={"fixed": 33})
    assert (packet.version, packet.src, packet.dst) == (6, SERVER6, CLIENT6)
    assert (packet.ident, packet.ip_flags, packet.ttl) == (0, 0, 33)
    assert one(toward=["client"], ip_id={"fixed": 9}).ident == 9


def test_a_payload_is_text_with_one_byte_for_each_character() -> None:
    assert one(toward=["client"], flags="PA", payload="HTTP/1.1 403\r\n\xff\x00").payload == b"HTTP/1.1 403\r\n\xff\x00"
    assert one(toward=["client"]).payload == b""


def test_a_forger_keeps_the_share_of_its_template() -> None:
    assert Forger("box", 0, template(share=0.25)).share == 0.25
    assert Forger("box", 0, template()).share is None


@pytest.mark.parametrize(
    ("reaction", "word"),
    [
        (Reaction(), None),
        (Reaction(withhold=True), "drop"),
        (Reaction(throttle=Bucket(bytes_per_second=1, burst=1, toward="both")), "throttle"),
        (Reaction(throttle=Bucket(bytes_per_second=1, burst=1, toward="both"), withhold=True), "throttle"),
        (Reaction(inject=(template(flags="PA", payload="gone"),), withhold=True), "page"),
        (Reaction(inject=(template(flags="PA", payload="gone"), template(flags="RA"))), "reset"),
        (Reaction(inject=(template(flags="A"),)), None),
        (Reaction(inject=residual(does="reset", inject=[msgspec.to_builtins(template())]).inject), "reset"),
    ],
)
def test_a_reaction_has_one_word(reaction: Reaction, word: str | None) -> None:
    assert reaction.action() == word
