"""Captures of many kinds, sound and hurt, in; the summary of each, and that the container changes no verdict, out."""

import gc
import struct
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.atlas.compile import load_wall
from crenel.errors import CaptureError, UsageError
from crenel.net.replay.check import check_capture, judge_capture, networks
from crenel.net.trace import FlowReport
from crenel.wire.ip import serialise
from crenel.wire.packet import ICMP, IP_MF, Packet
from crenel.wire.pcapng_writer import interface, packet_block, section_header
from tests.net.made import HEAD, QUERY, box
from tests.net.replay.traffic import (
    CLIENT,
    CLIENT6,
    CONTAINERS,
    LISTED,
    SECOND,
    SERVER,
    SERVER6,
    START,
    Sent,
    Talk,
    check,
    ethernet,
    pcap_of,
    query,
    sure_wall,
    timed,
)  # fmt: skip


def small_traffic() -> list[Packet]:
    talk = Talk()
    return [*talk.shake(), talk.say(LISTED), query(b"allowed.example"), query(b"blocked.example", sport=50001), *talk.end()]


def written(folder: Path, data: bytes, name: str = "capture") -> str:
    (folder / name).write_bytes(data)
    return str(folder / name)


def pieces(packet: Packet, size: int, ident: int = 7) -> list[Packet]:
    """Return the fragments of a packet, `size` bytes of its IP payload in each but the last."""
    raw = serialise(packet)
    head = 20 if packet.version == 4 else 40
    body = raw[head:]
    parts = [(offset, body[offset : offset + size]) for offset in range(0, len(body), size)]
    return [
        Packet(
            packet.version, packet.src, packet.dst, packet.proto, payload=part, headless=True, ident=ident, frag_offset=offset,
            ip_flags=IP_MF if offset + size < len(body) else 0, next_header=None,
        )
        for offset, part in parts
    ]  # fmt: skip


# Containers.


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_container_changes_nothing(tmp_path: Path, container: str) -> None:
    known = check(tmp_path, small_traffic(), "pcap")
    flows = check(tmp_path, small_traffic(), container)
    assert [msgspec.structs.replace(flow, capture="") for flow in flows] == [msgspec.structs.replace(flow, capture="") for flow in known]
    assert [(flow.transport, flow.verdict) for flow in flows] == [("tcp", "blocked"), ("udp", "pass"), ("udp", "blocked")]
    assert (flows.summary.packets, flows.summary.flows, flows.summary.undecoded) == (8, 3, 0)
    assert (flows.summary.damaged, flows.summary.lost, flows.summary.evictions) == ((), False, 0)
    assert len(flows) == len(list(flows)) == 3
    assert {flow.capture for flow in flows} == {flows.summary.capture} == {str(tmp_path / f"capture.{container}")}


@pytest.mark.parametrize(
    ("magic", "order", "unit", "shown"),
    [
        (0xA1B2C3D4, "<", 1_000, "1700000000.000123000"), (0xA1B2C3D4, ">", 1_000, "1700000000.000123000"),
        (0xA1B23C4D, "<", 1, "1700000000.000000123"), (0xA1B23C4D, ">", 1, "1700000000.000000123"),
    ],
)  # fmt: skip
def test_byte_orders_and_units_of_time(tmp_path: Path, magic: int, order: str, unit: int, shown: str) -> None:
    frame = ethernet(serialise(query(b"blocked.example")))
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
    path = written(tmp_path, head + struct.pack(order + "IIII", START // SECOND, 123, len(frame), len(frame)) + frame)
    (flow,) = check_capture(path, sure_wall())
    assert (flow.start, flow.verdict, unit) == (shown, "blocked", unit)


def test_two_interfaces_of_two_kinds(tmp_path: Path) -> None:
    talk = Talk()
    frames = [(number % 2, serialise(packet)) for number, packet in enumerate([*talk.shake(), talk.say(LISTED)])]
    blocks = b"".join(
        packet_block(START + number, ethernet(raw) if kind else raw, interface_id=kind) for number, (kind, raw) in enumerate(frames)
    )
    flows = check_capture(written(tmp_path, section_header() + interface(101, "one") + interface(1, "two") + blocks), sure_wall())
    assert [(flow.verdict, flow.packets, flow.at_packet) for flow in flows] == [("blocked", 4, 4)]
    assert flows.summary.undecoded == 0


def test_frames_that_hold_no_packet_are_counted(tmp_path: Path) -> None:
    talk = Talk()
    sound = [(at, ethernet(serialise(packet))) for at, packet in timed([*talk.shake(), talk.say(LISTED)])]
    arp = bytes(12) + b"\x08\x06" + bytes(28)
    frames = [(START, arp), sound[0], (START, b""), sound[1], (START, bytes(13)), *sound[2:], (START, bytes(12) + b"\x08\x00" + b"\x45")]
    flows = check_capture(written(tmp_path, pcap_of(frames)), sure_wall())
    assert (flows.summary.packets, flows.summary.undecoded, flows.summary.lost) == (8, 4, False)
    assert [(flow.verdict, flow.packets, flow.at_packet) for flow in flows] == [("blocked", 4, 7)]


def test_a_link_type_that_nobody_knows(tmp_path: Path) -> None:
    frames = [(at, serialise(packet)) for at, packet in timed(small_traffic())]
    flows = check_capture(written(tmp_path, pcap_of(frames, link_type=250)), sure_wall())
    assert (len(flows), flows.summary.packets, flows.summary.undecoded) == (0, 8, 8)


def test_what_is_neither_tcp_nor_udp_is_no_flow(tmp_path: Path) -> None:
    ping = Packet(4, CLIENT, SERVER, ICMP, payload=b"ping", icmp_type=8)
    flows = check(tmp_path, [ping, Packet(4, CLIENT, SERVER, 132, payload=bytes(30))])
    assert (len(flows), flows.summary.packets, flows.summary.undecoded) == (0, 2, 0)


def test_packets_that_were_cut_short(tmp_path: Path) -> None:
    """The length that a cut packet claims is known, so what follows it is still in its place; what was cut away cannot be read."""
    talk = Talk()
    frames = [(at, ethernet(serialise(packet))) for at, packet in timed([*talk.shake(), talk.say(LISTED), talk.hear(bytes(500))])]
    whole = check_capture(written(tmp_path, pcap_of(frames)), sure_wall())
    assert whole.flows[0].verdict == "blocked"
    for snap in (14 + 40 + 20, 14 + 40, 14 + 20):
        cut = check_capture(written(tmp_path, pcap_of(frames, snap=snap)), sure_wall())
        assert (cut.summary.packets, cut.summary.lost) == (5, False)
        assert [flow.name for flow in cut] in ([None], [])
        assert [flow.verdict for flow in cut if flow.middlebox] == []


def test_empty_captures(tmp_path: Path) -> None:
    for data in (pcap_of([]), section_header(), section_header() + interface()):
        flows = check_capture(written(tmp_path, data), sure_wall())
        assert (len(flows), flows.summary.packets, flows.summary.flows, flows.summary.damaged, flows.summary.lost) == (0, 0, 0, (), False)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a capture: it is empty (0 bytes)"),
        (b"GET / HTTP/1.1", "not a capture: it begins with 47 45 54 20, which is neither pcap nor pcapng"),
        (pcap_of([])[:23], "not a capture: the pcap file header is cut: 23 of 24 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_capture_is_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = written(tmp_path, data)
    with pytest.raises(CaptureError) as refusal:
        check_capture(path, sure_wall())
    assert str(refusal.value) == f"{path}: {sentence}"


def test_a_cut_capture_keeps_what_came_before(tmp_path: Path) -> None:
    frames = [(at, ethernet(serialise(packet))) for at, packet in timed(small_traffic())]
    whole = pcap_of(frames)
    last = 16 + len(frames[-1][1])
    sizes = ((1, 7, last - 17 + 16), (last - 16 + 1, 7, 15), (last - 1, 7, 1), (last, 7, 0))
    for missing, packets, _ in sizes:
        cut = check_capture(written(tmp_path, whole[:-missing]), sure_wall())
        assert cut.summary.packets == packets
        assert cut.summary.lost is (missing != last)
        assert len(cut.summary.damaged) == (missing != last)
        assert all(damage.startswith(f"at byte {len(whole) - last}: ") for damage in cut.summary.damaged)
        assert [flow.verdict for flow in cut] == ["blocked", "pass", "blocked"]


@given(cut=st.integers(0, 1000), flip=st.integers(0, 1000), bit=st.integers(0, 255))
def test_a_hurt_capture_never_raises_but_one_sentence(tmp_path_factory: pytest.TempPathFactory, cut: int, flip: int, bit: int) -> None:
    raw = pcap_of([(at, ethernet(serialise(packet))) for at, packet in timed(small_traffic())])
    data = bytearray(raw[: len(raw) - cut % len(raw)])
    data[flip % len(data)] ^= bit
    path = written(tmp_path_factory.getbasetemp(), bytes(data), "hurt.pcap")
    try:
        flows = check_capture(path, sure_wall())
    except CaptureError as error:
        assert str(error).startswith(f"{path}: not a capture: ")  # noqa: PT017
    else:
        assert len(flows) == flows.summary.flows
        assert sum(flow.packets for flow in flows) <= flows.summary.packets


# Fragments.


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("order", ["in order", "turned"])
def test_fragments_are_judged_as_the_packet_that_they_make(tmp_path: Path, container: str, six: bool, order: str) -> None:
    client, server = (CLIENT6, SERVER6) if six else (CLIENT, SERVER)
    talk = Talk(client=client, server=server)
    parts = pieces(talk.say(LISTED), 24)
    asked = pieces(query(b"blocked.example", client=client, server=server), 16, ident=9)
    assert len(parts) > 2
    assert len(asked) > 1
    if order == "turned":
        parts, asked = parts[::-1], asked[::-1]
    web, dns = check(tmp_path, [*talk.shake(), *parts, *asked], container)
    assert (web.verdict, web.name, web.at_packet, web.packets) == ("blocked", "blocked.example", 3 + len(parts), 4)
    assert (dns.verdict, dns.name, dns.at_packet, dns.packets) == ("blocked", "blocked.example", 3 + len(parts) + len(asked), 1)
    (whole,) = check(tmp_path, [*talk.shake(), *parts[:-1]], container)
    assert (whole.verdict, whole.name, whole.packets) == ("pass", None, 3)


@pytest.mark.parametrize("container", CONTAINERS)
def test_fragments_of_different_datagrams_are_not_joined(tmp_path: Path, container: str) -> None:
    one, two = pieces(query(b"blocked.example"), 16, ident=1), pieces(query(b"blocked.example"), 16, ident=2)
    flows = check(tmp_path, [one[0], *two[1:]], container)
    assert (len(flows), flows.summary.packets, flows.summary.undecoded) == (0, len(one), 0)


@pytest.mark.parametrize(("after", "flows"), [(30 * SECOND - 1, 1), (30 * SECOND, 0)])
def test_fragments_that_come_too_late_are_forgotten(tmp_path: Path, after: int, flows: int) -> None:
    first, *rest = pieces(query(b"blocked.example"), 16)
    late: list[Sent] = [(after, part) for part in rest]
    assert len(check(tmp_path, [(0, first), *late])) == flows


# Bounds.


def few_flows(folder: Path, limit: int) -> str:
    dns = box("dns", transport="udp", tcb=None, trigger=QUERY, chance='p = 1.0, per = "event"')
    (folder / f"few-{limit}.toml").write_text(HEAD.replace("flows = 1000", f"flows = {limit}") + dns)
    return str(folder / f"few-{limit}.toml")


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_full_table_lets_go_of_half_and_says_so(tmp_path: Path, container: str) -> None:
    wall = load_wall(few_flows(tmp_path, 4), as_of="2020-01-01")
    names = [b"blocked.example" if number % 3 == 0 else b"allowed.example" for number in range(10)]
    packets: list[Sent] = [query(name, sport=50000 + number) for number, name in enumerate(names)]
    flows = check(tmp_path, packets, container, wall=wall)
    assert sorted(flow.flow for flow in flows) == list(range(1, 11))
    assert [flow.flow for flow in flows] == list(range(1, 11))
    assert [flow.verdict == "blocked" for flow in flows] == [number % 3 == 0 for number in range(10)]
    assert flows.summary.flows == 10
    assert flows.summary.evictions == 6  # two each time, when the fifth, the seventh and the ninth come
    four = check(tmp_path, packets[:4], container, wall=wall)
    assert (four.summary.flows, four.summary.evictions) == (4, 0)


def test_those_that_were_silent_longest_go_first_and_come_back_as_new_flows(tmp_path: Path) -> None:
    wall = load_wall(few_flows(tmp_path, 4), as_of="2020-01-01")
    ports = [1, 2, 3, 4, 1, 2, 5, 3]
    flows = check(tmp_path, [query(b"allowed.example", sport=50000 + port) for port in ports], wall=wall).flows
    told = [(flow.flow, flow.client_port - 50000, flow.packets) for flow in flows]
    assert told == [(3, 3, 1), (4, 4, 1), (1, 1, 2), (2, 2, 2), (5, 5, 1), (6, 3, 1)]


# Options.


@pytest.mark.parametrize("text", ["10.0.0.0/40", "home", "", "192.0.2.1/255.0.255.0", "2001:db8::/200", "10.0.0.0/8,192.0.2.0/24"])
def test_what_is_no_network_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"^--inside: "):
        check(tmp_path, [], inside=["192.0.2.0/24", text])


def test_networks_of_both_kinds_of_ip() -> None:
    assert networks(()) is None
    test = networks(["192.0.2.0/24", "2001:db8::/64"])
    assert test is not None
    for _ in range(2):  # asked again, it still knows
        assert [test(address) for address in (CLIENT, SERVER, CLIENT6, bytes(16))] == [True, False, True, False]


@pytest.mark.parametrize(("tolerate", "at_risk"), [(0.0, True), (0.49, True), (0.5, False), (1.0, False)])
def test_a_risk_is_a_chance_above_what_is_tolerated(tmp_path: Path, tolerate: float, at_risk: bool) -> None:
    (tmp_path / "half.toml").write_text(HEAD + box("web"))
    talk = Talk()
    path = written(tmp_path, CONTAINERS["pcap"](timed([*talk.shake(), talk.say(LISTED), query(b"allowed.example")])))
    web, dns = check_capture(path, load_wall(str(tmp_path / "half.toml"), as_of="2020-01-01"), tolerate=tolerate)
    assert (web.chance, web.at_risk) == (0.5, at_risk)
    assert (dns.chance, dns.at_risk) == (0.0, False)


def test_memory_is_empty_at_the_start_of_each_capture(tmp_path: Path) -> None:
    assert check(tmp_path, small_traffic()) == check(tmp_path, small_traffic())


def test_an_interrupt_hands_over_the_flows_that_are_open(tmp_path: Path) -> None:
    path = written(tmp_path, CONTAINERS["pcapng"](timed(small_traffic() * 1100)))
    taken: list[FlowReport] = []

    def stop(at: int, size: int) -> None:
        assert 0 < at <= size
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge_capture(path, sure_wall(), taken.append, tick=stop)
    assert len(taken) == 3
    assert 0 < sum(flow.packets for flow in taken) < 8800
    assert gc.isenabled()


@pytest.mark.parametrize("container", CONTAINERS)
def test_progress_grows_towards_the_size(tmp_path: Path, container: str) -> None:
    data = CONTAINERS[container](timed([*small_traffic(), *[Talk().hear(bytes(400))] * 8300]))
    told: list[tuple[int, int]] = []
    judge_capture(written(tmp_path, data), sure_wall(), lambda flow: None, tick=lambda at, size: told.append((at, size)))
    assert told
    assert [at for at, _ in told] == sorted({at for at, _ in told})
    assert {size for _, size in told} == {len(data)}
    assert told[-1][0] <= len(data)


def test_a_udp_length_that_lies_is_no_reason_to_stop(tmp_path: Path) -> None:
    for claimed in (0, 7, 8, 20, 65535):
        lying = msgspec.structs.replace(query(b"allowed.example"), udp_length=claimed)
        flows = check(tmp_path, [lying])
        assert [(flow.transport, flow.packets) for flow in flows] == [("udp", 1)]
