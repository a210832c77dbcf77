"""Several processes print what one prints, in the order given, also where some captures cannot be read."""

from pathlib import Path

import pytest

from crenel.cli.options import Judging
from crenel.cli.spread import opened, spread
from crenel.cli.status import Status
from tests.cli.running import DAY, run, run_apart
from tests.report.making import hello, query, tcp, write_capture

JUDGING = Judging(None, "2025-01-15", 0, 0.0, None, {}, {}, (), ())


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("captures")
    made = [write_capture(folder / f"{number}.pcapng", query(b"blocked.example"), tcp([hello(b"n%d.example" % number)])) for number in range(4)]
    damaged = folder / "cut.pcapng"
    damaged.write_bytes(Path(made[0]).read_bytes()[:-20])
    return [*made[:2], str(folder / "no.pcap"), *made[2:], str(damaged)]


@pytest.mark.parametrize("output", ["table", "json", "jsonl"])
def test_workers_change_nothing(captures: list[str], output: str) -> None:
    alone = run("check", *captures, *DAY, "--format", output, "--header")
    spread_out = run("check", *captures, *DAY, "--format", output, "--header", "--workers", "2")
    assert alone == spread_out
    assert alone.status == Status.PARTLY_JUDGED


def test_standard_input_is_read_by_the_first_process(captures: list[str]) -> None:
    raw = Path(captures[0]).read_bytes()
    alone = run_apart("check", captures[1], "-", captures[0], *DAY, "--format", "jsonl", stdin=raw)
    spread_out = run_apart("check", captures[1], "-", captures[0], *DAY, "--format", "jsonl", "--workers", "2", stdin=raw)
    assert alone == spread_out
    assert [line.partition(",")[0] for line in alone.lines][2] == '{"capture":"-"'


def test_what_comes_back_from_another_process(captures: list[str]) -> None:
    first, missing = spread([captures[0], captures[2]], JUDGING, 2)
    assert first.at_risk == 1
    assert first.summary is not None
    assert missing.summary is None
    assert missing.error == f"{captures[2]}: No such file or directory"


def test_the_lines_are_deleted_when_they_were_read(captures: list[str]) -> None:
    results = spread(captures[:1], JUDGING, 1)
    apart = next(results)
    with opened(apart) as lines:
        assert len(lines.read().splitlines()) == 2
    assert not Path(str(apart.lines)).exists()
    results.close()  # type: ignore[attr-defined]
