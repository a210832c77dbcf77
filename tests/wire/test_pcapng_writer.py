"""Captures written as pcapng: read back the same, the same bytes each time, and understood by tshark."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wire.ip import serialise
from crenel.wire.packet import tcp_packet, udp_packet
from crenel.wire.pcapng_writer import RAW_IP, interface, packet_block, section_header, write_pcapng
from tests.wire.captures import frames, walk

A, B = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.binary(max_size=70), st.none() | st.text(max_size=20))))
def test_times_and_frames_are_read_back(packets: list[tuple[int, bytes, str | None]]) -> None:
    capture = b"".join(write_pcapng(packets))
    records, damage = walk(capture)
    assert [(time, link, original) for _, time, link, _, _, original in records] == [(time, RAW_IP, len(frame)) for time, frame, _ in packets]
    assert frames(capture) == [frame for _, frame, _ in packets]
    assert not damage
    assert capture == b"".join(write_pcapng(packets))


def test_a_capture_without_packets() -> None:
    assert walk(b"".join(write_pcapng([]))) == ([], [])


def test_several_interfaces() -> None:
    capture = section_header() + interface(name="inside") + interface(1, "outside") + packet_block(5, b"x", interface_id=1)
    assert [link for _, _, link, *_ in walk(capture)[0]] == [1]


def test_a_comment_too_long_is_cut_at_a_character() -> None:
    block = packet_block(0, b"", "é" * 40_000)
    assert len(block) % 4 == 0
    assert "é".encode() * (0xFFFC // 2) in block
    assert "é".encode() * (0xFFFC // 2 + 1) not in block


def test_a_lone_surrogate_does_no_harm() -> None:
    assert b"a?b" in packet_block(0, b"", "a\udc80b")


@pytest.mark.parametrize("time_ns", [-1, 1 << 64])
def test_a_time_that_no_capture_holds_is_refused(time_ns: int) -> None:
    with pytest.raises(ValueError, match=str(time_ns)):
        packet_block(time_ns, b"")


@pytest.mark.peer("tshark")
def test_tshark_reads_times_comments_and_packets(tmp_path: Path) -> None:
    packets = [
        (1_700_000_000_123_456_789, serialise(tcp_packet(A, B, 1234, 443, payload=b"x")), "the wall resets this flow: «blocked.example»"),
        (1_700_000_001_000_000_000, serialise(udp_packet(bytes(16), bytes(15) + b"\1", 4321, 53, b"")), None),
        (1_700_000_002_000_000_001, serialise(udp_packet(A, B, 1, 2, b"abc")), "odd"),
    ]
    path = tmp_path / "written.pcapng"
    path.write_bytes(b"".join(write_pcapng(packets)))
    wanted = ("frame.time_epoch", "frame.comment", "ip.src", "ipv6.src", "tcp.dstport", "udp.dstport")
    command = ["tshark", "-r", str(path), "-T", "fields", *(part for name in wanted for part in ("-e", name))]
    lines = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True).stdout.splitlines()
    assert [line.split("\t") for line in lines] == [
        ["1700000000.123456789", "the wall resets this flow: «blocked.example»", "192.0.2.1", "", "443", ""],
        ["1700000001.000000000", "", "", "::", "", "53"],
        ["1700000002.000000001", "odd", "192.0.2.1", "", "", "2"],
    ]
