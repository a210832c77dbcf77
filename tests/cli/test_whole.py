"""A file appears whole or not at all, and what is wrong is one sentence."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from crenel.cli.whole import write_whole
from crenel.errors import UsageError


def test_it_replaces_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    write_whole("--report", str(path), [b"af", b"ter"])
    assert path.read_bytes() == b"after"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_it_is_left_alone_where_the_writing_fails(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    path = tmp_path / "x"
    path.write_bytes(b"before")
    with pytest.raises(KeyboardInterrupt):
        write_whole("--report", str(path), pieces())
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("name", ["absent/x.html", "", "a" * 300, "x\0y"])
def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"^--report "):
        write_whole("--report", str(tmp_path / name), [b"x"])
    assert not list(tmp_path.iterdir())
