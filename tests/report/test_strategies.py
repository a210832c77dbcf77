"""The library and reproduced cells in; their tables and records out."""

from crenel.atlas.compile import load_wall
from crenel.atlas.strategies import library, named
from crenel.evade.table import Reproduced, table
from crenel.report.layout import plain
from crenel.report.strategies import list_lines, list_record, seen_words, table_lines, table_record


def cells(*names: str) -> list[Reproduced]:
    return table(library(), lambda wall, as_of, vantage: load_wall(wall, as_of=as_of, vantage=vantage), lambda entry, _: entry.name in names)


def test_every_strategy_has_a_line() -> None:
    lines = [plain(line) for line in list_lines(library(), None)]
    assert len(lines) == len(library().strategy) + 1
    assert [line for line in lines if line.startswith("tls-record-split ") and "worked 2023-04 to 2024-04-04, failed 2025-12" in line]
    assert all(len(plain(line)) <= 100 for line in list_lines(library(), 100))


def test_where_it_was_seen() -> None:
    assert seen_words(named("none"), library()) == "2017 3 %, 2019 3 %, 2020 2 to 26 %"
    assert seen_words(named("oob"), library()) == "--"


def test_the_record_of_a_strategy_spells_its_studies_out() -> None:
    record = list_record(named("rst-ttl-late"), library())
    assert record["name"] == "rst-ttl-late"
    assert isinstance(record["cell"], list)
    assert record["cell"][0]["study"]["as_of"] == "2019-01-15"


def test_published_stands_beside_reproduced_with_error_and_coins() -> None:
    lines = [plain(line) for line in table_lines(cells("server-open-rst", "junk-badsum", "prefill-ttl"), library(), None)]
    rows = [line.split()[3:6] for line in lines if line.startswith("server-open-rst  server  ftp")]
    assert rows == [["52.0", "51.5", "-0.5"]]
    assert any("98.0 (80.0)" in line for line in lines)
    assert any("90.6" in line and " 3.7 " in line for line in lines)
    assert "off by more than 7 points" in lines
    assert any(line.strip().startswith("server-open-rst, https (-11.0): open: ") for line in lines)
    assert lines[-1].startswith("mean absolute error")
    assert "7 published rates, 7 of them exact; of the shares of resets" in lines[-1]


def test_the_record_of_a_cell() -> None:
    far = [table_record(cell) for cell in cells("server-open-rst") if cell.protocol == "https"]
    assert [(one["strategy"], one["far"], one["vantage"]) for one in far] == [("server-open-rst", True, "four-cities-2020")]
