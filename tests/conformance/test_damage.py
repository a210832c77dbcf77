"""Real captures cut in the middle of a packet in; the packets before the cut, and the word that something was lost, out."""

import random
import struct
from pathlib import Path

from crenel.net.replay.check import CheckedCapture, check_capture
from tests.conformance.judging import WIDE, judge, rows_of, wall_of
from tests.data import data_path

CAPTURES, CUTS = 200, 5
SEED = 20220601
PCAP_MAGIC = {b"\xa1\xb2\xc3\xd4": ">", b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">", b"\x4d\x3c\xb2\xa1": "<"}
PACKET_BLOCKS = {2, 3, 6}
"""Packet, simple packet and enhanced packet block."""

Span = tuple[int, int]


def records_of(content: bytes) -> list[Span]:
    """Return where each packet's record or block begins and ends; nothing where the file is of neither format."""
    if content[:4] in PCAP_MAGIC:
        return pcap_records(content, PCAP_MAGIC[content[:4]])
    return pcapng_blocks(content) if content[:4] == b"\n\r\r\n" else []


def pcap_records(content: bytes, order: str) -> list[Span]:
    spans = []
    at = 24
    while at + 16 <= len(content):
        end = at + 16 + int(struct.unpack_from(order + "I", content, at + 8)[0])
        if end > len(content):
            break
        spans.append((at, end))
        at = end
    return spans


def pcapng_blocks(content: bytes) -> list[Span]:
    spans = []
    at, order = 0, "<"
    while at + 12 <= len(content):
        if content[at : at + 4] == b"\n\r\r\n":
            order = "<" if content[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
        kind, length = struct.unpack_from(order + "II", content, at)
        if length < 12 or at + length > len(content):
            break
        if kind in PACKET_BLOCKS:
            spans.append((at, at + length))
        at += length
    return spans


def sound_captures() -> list[str]:
    """Return captures that are not packed, whose records this test finds as the inventory counts them, and that are not damaged already."""
    found = []
    for row in rows_of("labels/pcap_inventory.csv"):
        if int(row["packets"]) and not row["compression"] and not judge(row["data_path"]).summary.damaged:
            records = records_of(data_path(row["data_path"]).read_bytes())
            if len(records) == int(row["packets"]):
                found.append(row["data_path"])
    return found


def shape(checked: CheckedCapture) -> list[tuple[object, ...]]:
    """Return what must not depend on where a capture ends: the flows and what they hold."""
    return [
        (flow.transport, flow.client, flow.client_port, flow.server, flow.server_port, flow.start, flow.packets, flow.bytes, flow.names)
        for flow in checked
    ]


def test_a_cut_capture_gives_the_packets_before_the_cut_and_nothing_else(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    chosen = dice.sample(sorted(sound_captures()), CAPTURES)
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    wrong = []
    for name in chosen:
        content = data_path(name).read_bytes()
        records = records_of(content)
        for _ in range(CUTS):
            number = dice.randrange(len(records))
            start, end = records[number]
            place = dice.randrange(start + 1, end)
            cut.write_bytes(content[:place])
            whole.write_bytes(content[:start])
            checked = check_capture(str(cut), wall_of(WIDE))
            before = check_capture(str(whole), wall_of(WIDE))
            summary = checked.summary
            if (summary.packets, summary.lost, before.summary.packets, before.summary.lost) != (number, True, number, False):
                wrong.append(f"{name} cut at {place} in packet {number + 1}: {summary.packets} packets, lost: {summary.lost}, {summary.damaged}")
            elif shape(checked) != shape(before):
                wrong.append(f"{name} cut at {place} in packet {number + 1}: other flows than before the cut")
            elif len(summary.damaged) != 1:
                wrong.append(f"{name} cut at {place} in packet {number + 1}: {summary.damaged}")
    assert not wrong, "\n".join(wrong[:20])
