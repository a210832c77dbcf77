"""Options of a search in, what it prints, keeps and returns out; short searches, for their result is tested elsewhere."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from crenel.cli import searching
from crenel.cli.options import Judging
from crenel.cli.searching import Seeking, search_for
from crenel.cli.status import Status
from crenel.errors import StrategyError, UsageError
from crenel.evade.search_judge import Judge, Judged

JUDGING = Judging("gfw", "2019-06-01", 2, 0.0, None, {}, {}, (), ())
SEEKING = Seeking("http", "client", 2, 40, None, extended=False, resume=None, workers=1)


def found(
    capfd: pytest.CaptureFixture[str], *, generations: int = 2, population: int = 40, seconds: float | None = None, resume: str | None = None,
    workers: int = 1,
) -> dict[str, object]:
    """Search as asked and return the result that was printed."""
    seeking = SEEKING._replace(generations=generations, population=population, seconds=seconds, resume=resume, workers=workers)
    assert search_for(seeking, JUDGING, "json") == Status.SAFE
    result = json.loads(capfd.readouterr().out)
    assert isinstance(result, dict)
    return result


def test_families_are_printed_with_their_exact_rates_and_the_published_names(capfd: pytest.CaptureFixture[str]) -> None:
    result = found(capfd, generations=5, population=100)
    assert (result["wall"], result["as_of"], result["none"]) == ("gfw", "2019-06-01", 0.03)
    strategies = result["found"]
    assert isinstance(strategies, list)
    known = {one["family"]: one for one in strategies}
    assert {"tear-down", "desynchronisation", "segmentation"} & known.keys()
    assert any(one["like"] and one["like"]["name"] for one in strategies)
    assert all(one["exact"] and one["rate"] >= 0.2 for one in strategies)


def test_a_search_that_is_taken_up_comes_to_the_same(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    state = tmp_path / "state"
    whole = found(capfd)
    found(capfd, generations=1, resume=str(state))
    assert state.read_bytes().startswith(b"{")
    again = found(capfd, resume=str(state))
    assert again["found"] == whole["found"]
    assert again["generations"] == whole["generations"] == 2
    assert list(tmp_path.iterdir()) == [state]


def test_several_processes_come_to_the_same(capfd: pytest.CaptureFixture[str]) -> None:
    assert found(capfd, workers=2) == found(capfd, workers=1)


def test_an_interrupted_search_prints_what_it_has_and_keeps_its_state(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def jury(judge: Judge, seeking: Seeking, judging: Judging) -> Iterator[searching.Jury]:
        def hear(dnas: Sequence[str]) -> Iterator[Judged]:
            nonlocal asked
            asked += 1
            if asked > 1:
                raise KeyboardInterrupt
            return iter([judge(dna) for dna in dnas])

        yield hear

    monkeypatch.setattr(searching, "_jury", contextlib.contextmanager(jury))
    state = tmp_path / "state"
    assert search_for(SEEKING._replace(resume=str(state)), JUDGING, "table") == Status.INTERRUPTED
    out, err = capfd.readouterr()
    assert "in 1 generations from seed 2" in out
    assert "; interrupted" in out
    assert "goes on from there" in err
    assert state.exists()


def test_no_time_means_no_generation(capfd: pytest.CaptureFixture[str]) -> None:
    result = found(capfd, seconds=0.0)
    assert (result["generations"], result["found"]) == (0, [])


def test_a_state_file_of_something_else_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    state.write_text("not a state")
    with pytest.raises(UsageError, match="--resume"):
        search_for(SEEKING._replace(resume=str(state)), JUDGING, "json")
    state.unlink()
    found(capfd, generations=1, resume=str(state))
    with pytest.raises(UsageError, match="another search"):
        search_for(SEEKING._replace(resume=str(state), side="server"), JUDGING, "json")
    with pytest.raises(UsageError, match="--resume"):
        search_for(SEEKING._replace(resume=str(tmp_path / "absent" / "state")), JUDGING, "json")


def test_a_protocol_that_the_wall_lets_pass_is_refused() -> None:
    with pytest.raises(StrategyError, match="nothing to evade"):
        search_for(SEEKING._replace(protocol="quic"), JUDGING, "json")
