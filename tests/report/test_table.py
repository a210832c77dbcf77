"""A table says of each flow what is to be said, in one line where there is room and in few where there is not."""

from pathlib import Path

import msgspec
import pytest

from crenel.net.trace import CaptureSummary, FlowReport
from crenel.report.layout import plain
from crenel.report.table import FlowTable, about_lines, about_of, end_of, target_of
from tests.report.making import evidence, flow, judge, query, tcp, trigger, wall_of, write_capture

SUMMARY = CaptureSummary("x.pcap", 10, 1, 0, (), lost=False)
RISKY = flow(
    flow=2, chance=0.26, at_risk=True, triggers=(trigger("a-box", 0.26, acted=False),), evidence=(evidence("a-box", last_observed="2023-12-08"),),
)


def table(flows: list[FlowReport], width: int | None = None, **given: object) -> list[str]:
    made = FlowTable(wall_of(**given), width)
    return [plain(line) for line in made.rows(flows) + made.footer([SUMMARY])]


def test_one_line_for_each_flow_where_there_is_room() -> None:
    head, first, second, *footer = table([flow(), RISKY])
    assert head == "flow  what       to                      verdict"
    assert first == "   1  tls        allowed.example:443     passes"
    assert second == "   2  tls        allowed.example:443     at risk, 26 % of connections (this draw: passed): a-box resets it for its server name"
    assert footer[:2] == ["", "2 flows: 1 at risk, 1 pass  (10 packets in x.pcap)"]
    assert "wall   The Great Firewall of China (gfw) as of 2025-01-15, at the hour of each packet" in footer
    assert "note   last observed at work: a-box on 2023-12-08" in footer
    assert "more   --explain 2 tells the whole story of that flow" in footer


def test_in_eighty_columns_the_reason_stands_below() -> None:
    lines = table([flow(), RISKY], 80)
    assert lines[1:4] == [
        "   1  tls        allowed.example:443     passes",
        "   2  tls        allowed.example:443     at risk, 26 % of connections",
        "                 (this draw: passed) a-box resets it for its server name",
    ]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    long = flow(name="x" * 200 + ".example", names=("x" * 200 + ".example", "b.example"))
    assert max(map(len, table([flow(), RISKY, long], width))) <= max(width, 56)


def test_a_name_on_no_example_list_says_what_that_means() -> None:
    unlisted = flow(basis="example-list")
    number = getattr(wall_of().about, "examples", 0)
    said = f"not among Crenel's {number} example names, which says nothing about the real list; --listed shows what would happen"
    assert table([unlisted])[1].endswith(said)
    narrow = table([unlisted], 80)
    assert narrow[1].endswith(f"not among Crenel's {number} example names*")
    assert "*      which says nothing about the real list; --listed shows what would happen" in narrow


def test_nothing_is_said_to_be_old_that_is_not() -> None:
    recent = msgspec.structs.replace(RISKY, evidence=(evidence("a-box", last_observed="2025-01-15"),))
    assert not [line for line in table([recent]) if "last observed" in line]


def test_a_short_event_on_the_day_is_named() -> None:
    notes = [line for line in table([flow()], as_of="2025-08-20") if line.startswith("note")]
    assert any("give an hour to judge by it" in line for line in notes)


def test_what_was_given_is_repeated() -> None:
    lines = [plain(line) for line in about_lines(about_of(wall_of(listed=("*", "a.example"), seed=3)), None)]  # type: ignore[arg-type]
    assert lines == [
        "wall   The Great Firewall of China (gfw) as of 2025-01-15, at the hour of each packet",
        "from   vantage beijing, seed 3",
        "given  every name taken as listed, a.example taken as listed",
    ]
    hour = [plain(line) for line in about_lines(about_of(wall_of(as_of="2025-01-15T08:30")), None)]  # type: ignore[arg-type]
    assert hour[0].endswith("as of 2025-01-15T08:30")


def test_several_captures_need_file_and_flow() -> None:
    made = FlowTable(wall_of(), None, many=True)
    made.rows([RISKY])
    made.next_capture()
    assert not [line for line in made.rows([flow()]) if plain(line).startswith("flow")]
    assert "more   --explain x.pcap:2 tells the whole story of that flow" in [plain(line) for line in made.footer([SUMMARY, SUMMARY])]


def test_evictions_are_shown() -> None:
    made = FlowTable(wall_of(), None)
    made.rows([flow()])
    summary = msgspec.structs.replace(SUMMARY, evictions=1500)
    assert "note   1,500 flows and memory entries were let go early because a table was full" in [plain(line) for line in made.footer([summary])]


def test_where_a_flow_went() -> None:
    assert target_of(flow()) == "allowed.example:443"
    assert target_of(flow(names=("allowed.example", "b.example"))) == "allowed.example:443 +1"
    assert target_of(flow(name=None, names=())) == "198.51.100.9:443"
    assert end_of("2001:db8::1", 53) == "[2001:db8::1]:53"


def test_names_from_the_wire_cannot_touch_the_table(tmp_path: Path) -> None:
    hostile = [b"\x1b[2J\x1b[31mred.example", "a\u202egnp.example".encode(), b"[bold]x[/bold].example", b"a\r\nflow 9 blocked", b"\xff\xfe.example"]
    conversations = [query(name, sport=50000 + number) for number, name in enumerate(hostile)]
    conversations.append(tcp([b"GET / HTTP/1.1\r\nHost: a\tb\x7f.example\r\n\r\n"], dport=80))
    flows = judge(write_capture(tmp_path / "x.pcapng", *conversations), wall_of())
    lines = table(flows)
    assert len(flows) == len(conversations)
    assert [line[:4] for line in lines[1 : 1 + len(flows)]] == ["   1", "   2", "   3", "   4", "   5", "   6"]
    assert all(line.isprintable() for line in lines)
    assert any("[bold]x[/bold].example" in line for line in lines)
