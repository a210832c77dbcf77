"""What a profile says of a box in, which flows it looks at and what it has ready to act with out."""

from typing import Literal

import msgspec
import pytest

from crenel.coins import ScriptedCoins
from crenel.wall.box import ANY_PORT, Box, Scope
from crenel.wall.reaction import Reaction
from crenel.wall.readers import Reader
from crenel.wall.readers.header import TcpPort
from crenel.wire.packet import ACK, RST, TCP, UDP, tcp_packet
from tests.wall.making import CLIENT, SERVER, host_reader, made_box, residual, template

Transport = Literal["tcp", "udp"]


def scope(**changes: object) -> Scope:
    return msgspec.convert({"transport": "tcp", "versions": [4, 6], "opened_from": ["inside", "outside"]} | changes, Scope)


def covers(one: Scope, *, transport: int = TCP, version: int = 4, port: int = 80, inside: bool = True, above: bool = True) -> bool:
    return one.covers(transport, version, port, inside=inside, above=above)


@pytest.mark.parametrize(("port", "watched"), [(79, False), (80, True), (81, True), (90, True), (91, False), (443, True), (442, False), (444, False), (0, False)])
def test_both_ends_of_a_range_of_ports_are_watched(port: int, watched: bool) -> None:
    assert covers(scope(ports=[[80, 90], [443, 443]]), port=port) is watched


@pytest.mark.parametrize(("port", "watched"), [(0, False), (1, True), (65535, True)])
def test_any_port_is_any_but_0(port: int, watched: bool) -> None:
    assert scope().ports == ANY_PORT
    assert covers(scope(), port=port) is watched


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_only_its_own_transport_is_watched(transport: Transport) -> None:
    one = scope(transport=transport)
    assert [covers(one, transport=number) for number in (TCP, UDP, 1)] == [transport == "tcp", transport == "udp", False]


def test_only_its_own_versions_are_watched() -> None:
    assert [covers(scope(versions=[4]), version=version) for version in (4, 6)] == [True, False]
    assert [covers(scope(versions=[6]), version=version) for version in (4, 6)] == [False, True]


@pytest.mark.parametrize(("sides", "inside", "outside"), [(["inside"], True, False), (["outside"], False, True), (["inside", "outside"], True, True)])
def test_only_flows_from_its_sides_are_watched(sides: list[str], inside: bool, outside: bool) -> None:
    assert (covers(scope(opened_from=sides), inside=True), covers(scope(opened_from=sides), inside=False)) == (inside, outside)


def test_flows_from_outside_may_have_versions_of_their_own() -> None:
    one = scope(versions=[4], versions_from_outside=[6])
    assert [(covers(one, version=version, inside=True), covers(one, version=version, inside=False)) for version in (4, 6)] == [(True, False), (False, True)]
    none = scope(versions=[4], versions_from_outside=[])
    assert not covers(none, inside=False)


def test_versions_from_outside_do_not_open_a_side_that_is_not_watched() -> None:
    assert not covers(scope(versions=[4], versions_from_outside=[4, 6], opened_from=["inside"]), inside=False)


@pytest.mark.parametrize(("asks", "above", "watched"), [(True, True, True), (True, False, False), (False, True, True), (False, False, True)])
def test_a_source_port_may_have_to_be_the_greater(asks: bool, above: bool, watched: bool) -> None:
    assert covers(scope(source_port_above=asks), above=above) is watched


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="port"):
        scope(port=80)


# A box.


def test_a_box_has_a_forger_for_each_template_and_others_for_its_memory() -> None:
    rule = {"between": [0, 65535]}
    inject = template(window=rule, toward=["client"])
    remembers = residual(does="reset", inject=[msgspec.to_builtins(template(flags="RA", toward=["client"]))])
    made = made_box(reaction=Reaction(inject=(inject, inject)), remembers=remembers)
    assert (len(made.forgers), len(made.residual_forgers)) == (2, 1)
    ground = tcp_packet(CLIENT, SERVER, 50000, 80)
    flags = [forger.forge(ground, ScriptedCoins(), b"", {}, from_client=True)[0][0].flags for forger in (*made.forgers, *made.residual_forgers)]
    assert flags == [RST, RST, RST | ACK]


@pytest.mark.parametrize(
    ("reaction", "does", "word"),
    [
        (Reaction(), None, None), (Reaction(), "drop", "drop"), (Reaction(), "reset", "reset"), (Reaction(inject=(template(),)), "drop", "reset"),
        (Reaction(withhold=True), "reset", "drop"),
    ],
)
def test_the_word_for_a_box_is_that_of_its_reaction_before_that_of_its_memory(reaction: Reaction, does: str | None, word: str | None) -> None:
    assert made_box(reaction=reaction, remembers=None if does is None else residual(does=does)).action == word


def test_a_box_without_memory_hits_nothing_with_it() -> None:
    made = made_box()
    assert (made.residual_mask, made.residual_forgers, made.answerer) == (0, (), None)
    assert made_box(remembers=residual()).residual_mask != 0


def test_an_onset_is_as_long_as_its_law_says() -> None:
    made = made_box(remembers=residual(onset={"fixed": 1 << 40}))
    assert made.residual_onset(ScriptedCoins(), b"", {}, 0, 0, 0) == 1 << 40
    assert made_box().residual_onset(ScriptedCoins(), b"", {}, 0, 0, 0) == 0


@pytest.mark.parametrize(("reader", "header"), [(host_reader(), False), (TcpPort(packets=("syn",), ports=(80,)), True)])
def test_a_reader_is_of_headers_or_of_payloads(reader: Reader, header: bool) -> None:
    model = made_box()
    made = Box(
        0, model.facts, scope=model.scope, reader=reader, names=None, hours=model.hours, coin_scope="flow", reaction=Reaction(), residual=None, pools={},
        tcb=None, other=None, joins=0.0, first_only=None, sees_injected=True,
    )
    assert (made.header is reader, made.payload is reader) == (header, not header)
    assert made.id == "a"
