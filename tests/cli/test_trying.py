"""The work behind `crenel try`: captures that appear whole or not at all, whatever happens meanwhile."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from crenel.cli import trying
from crenel.cli.trying import write_capture
from crenel.errors import UsageError
from crenel.net.trace import Event
from tests.report.tried import exchange_of, wall_of

EXCHANGE = exchange_of("blocked.example", wall_of())


def test_a_capture_that_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(events: Iterable[Event], start: int = 0) -> Iterator[bytes]:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(trying, "trace_capture", breaking)
    with pytest.raises(UsageError, match=r"^--pcap .*x\.pcapng: No space left on device$"):
        write_capture(str(tmp_path / "x.pcapng"), [EXCHANGE])
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(events: Iterable[Event], start: int = 0) -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    monkeypatch.setattr(trying, "trace_capture", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_capture(str(tmp_path / "x.pcapng"), [EXCHANGE])
    assert not list(tmp_path.iterdir())


def test_a_link_is_followed_and_rights_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "plain").touch()
    write_capture(str(tmp_path / "link"), [EXCHANGE])
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_path_that_no_system_takes() -> None:
    with pytest.raises(UsageError, match="--pcap"):
        write_capture("x\0y", [EXCHANGE])
