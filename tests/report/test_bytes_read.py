"""The bytes in a story are those that the evidence counts in, and boxes without ground say what they saw."""

from pathlib import Path

import pytest

from crenel.report.bytes_read import BytesRead, look, reads_of
from crenel.report.words import watching
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import build_hello_message
from tests.report.making import EXAMPLE, hello, query, tcp, udp, wall_of, watch, write_capture


@pytest.mark.parametrize("number", range(1, 22))
def test_the_marked_bytes_spell_what_was_read(number: int) -> None:
    flow, watched = watch(str(EXAMPLE), wall_of(), number)
    for evidence in flow.evidence:
        if evidence.length:
            data, _ = BytesRead(watched).of(evidence)
            span = data[evidence.offset : evidence.offset + evidence.length].lower()
            assert evidence.value.encode() in (span, span[1:-1].replace(b"\x07", b"."))  # as text, or as DNS labels of seven


def test_a_stream_in_disorder_is_put_in_order(tmp_path: Path) -> None:
    whole = tcp([hello(b"blocked.example")[:50], hello(b"blocked.example")[50:]])
    path = write_capture(tmp_path / "x.pcapng", [*whole[:3], whole[4], whole[3]])
    _, watched = watch(path, wall_of(), 1)
    assert BytesRead(watched).stream == hello(b"blocked.example")


def test_a_flow_without_its_start_is_shown_by_segments(tmp_path: Path) -> None:
    path = write_capture(tmp_path / "x.pcapng", tcp([hello(b"blocked.example")], handshake=False))
    flow, watched = watch(path, wall_of(), 1)
    assert not flow.complete
    bytes_read = BytesRead(watched)
    assert bytes_read.stream == b""
    blind = next(iter(look(wall_of().boxes, watched, flow)))
    assert blind.box in wall_of().boxes or blind.box.id


def test_an_initial_is_shown_in_the_clear(tmp_path: Path) -> None:
    message = build_hello_message(b"blocked.example", random=bytes(32))
    datagram = build_initial([build_crypto_frame(0, message)], dcid=b"12345678", pad_to=1200)
    flow, watched = watch(write_capture(tmp_path / "x.pcapng", udp([datagram], dport=443)), wall_of(), 1)
    data, where = BytesRead(watched).of(flow.evidence[0])
    assert message in data
    assert where == "the datagram, here decrypted"
    assert len(data) == len(datagram)


def test_boxes_without_ground_say_what_they_saw(tmp_path: Path) -> None:
    wall = wall_of()
    flow, watched = watch(write_capture(tmp_path / "x.pcapng", tcp([hello(b"allowed.example")])), wall, 1)
    said = {looked.box.id: looked.says for looked in look(watching(wall, flow), watched, flow)}
    saw = [box for box, says in said.items() if says.startswith("saw the server name allowed.example, which is not on ")]
    assert saw == [box.id for box in wall.boxes if reads_of(box) == "tls.sni"]
    assert any(not says for says in said.values())


def test_a_reader_that_does_not_follow_says_so() -> None:
    flow, watched = watch(str(EXAMPLE), wall_of(), 17)
    assert flow.name == "blocked.example"
    says = [looked.says for looked in look(watching(wall_of(), flow), watched, flow)]
    assert any(said.startswith("saw no server name; its reader does not follow a QUIC version other than 1;") for said in says)


def test_a_rule_for_random_bytes_says_which_exemption_holds(tmp_path: Path) -> None:
    wall = wall_of(as_of="2022-06-01")
    flow, watched = watch(write_capture(tmp_path / "x.pcapng", tcp([b"SSH-2.0-OpenSSH\r\n"], dport=22)), wall, 1)
    says = [looked.says for looked in look(watching(wall, flow), watched, flow) if looked.says]
    assert says == ["leaves the first payload alone: the first 6 bytes are printable; 15 of 17 bytes are printable, more than 1 in 2"]


def test_datagrams_are_read_with_their_headers(tmp_path: Path) -> None:
    wall = wall_of()
    flow, watched = watch(write_capture(tmp_path / "x.pcapng", query(b"allowed.example")), wall, 1)
    says = [looked.says for looked in look(watching(wall, flow), watched, flow) if looked.says]
    assert len(says) == len([box for box in watching(wall, flow) if reads_of(box) == "dns.qname"])
    assert all(said.startswith("saw the query name allowed.example, which is not on ") for said in says)
