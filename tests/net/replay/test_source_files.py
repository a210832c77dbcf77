"""Paths of files, packed and plain, and standard input in; bytes and what was wrong with their packing out."""

import gzip
import io
import mmap
import random
import sys
import zlib
from pathlib import Path

import pytest

from crenel.errors import CaptureError
from crenel.net.replay import source
from crenel.net.replay.check import check_capture
from crenel.net.replay.source import let_go, read_source
from tests.net.replay.traffic import CONTAINERS, LISTED, Talk, query, sure_wall, timed

NOISE = bytes(range(256)) * 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_a_plain_file_is_mapped(path: Path) -> None:
    path.write_bytes(NOISE)
    data, fault = read_source(str(path))
    assert isinstance(data, mmap.mmap)
    assert (data[:], fault) == (NOISE, None)


def test_an_empty_file_is_no_error_here(path: Path) -> None:
    path.write_bytes(b"")
    assert read_source(str(path)) == (b"", None)


@pytest.mark.parametrize(("name", "reason"), [("none", "No such file or directory"), (".", "Is a directory"), ("file/below", "Not a directory")])
def test_what_cannot_be_opened_is_named(tmp_path: Path, path: Path, name: str, reason: str) -> None:
    path.write_bytes(b"x")
    with pytest.raises(CaptureError) as refusal:
        read_source(str(tmp_path / name))
    assert str(refusal.value) == f"{tmp_path / name}: {reason}"


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(NOISE)))
    assert read_source("-") == (NOISE, None)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(NOISE, mtime=0))))
    assert read_source("-") == (NOISE, None)


def test_gzip_is_unpacked_whatever_the_name(path: Path) -> None:
    path.write_bytes(gzip.compress(NOISE, mtime=0))
    assert read_source(str(path)) == (NOISE, None)


def test_members_one_after_the_other(path: Path) -> None:
    path.write_bytes(gzip.compress(b"one ", mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(b"two", mtime=0))
    assert read_source(str(path)) == (b"one two", None)


def test_padding_after_the_last_member_is_ignored(path: Path) -> None:
    path.write_bytes(gzip.compress(b"one", mtime=0) + bytes(100))
    assert read_source(str(path)) == (b"one", None)


def test_what_was_unpacked_before_a_cut_is_kept(path: Path) -> None:
    noise = random.Random(1).randbytes(50_000)
    packed = gzip.compress(noise, mtime=0)
    for missing in (1, 8, 9, 1000, 40_000):
        path.write_bytes(packed[:-missing])
        data, fault = read_source(str(path))
        assert fault == "the gzip data is cut"
        assert noise.startswith(data[:])
        assert len(noise) - len(data) <= missing + 100
    path.write_bytes(gzip.compress(b"one", mtime=0) + packed[:20_000])
    data, fault = read_source(str(path))
    assert (data[:3], fault) == (b"one", "the gzip data is cut")


def test_what_was_unpacked_before_damage_is_kept(path: Path) -> None:
    packed = bytearray(gzip.compress(NOISE, mtime=0) + gzip.compress(NOISE, mtime=0))
    packed[-8] ^= 1  # the checksum of the second member
    path.write_bytes(bytes(packed))
    data, fault = read_source(str(path))
    assert data[: len(NOISE)] == NOISE
    assert fault is not None
    assert fault.startswith("the gzip data is broken (")


@pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8b\x08", gzip.compress(NOISE, mtime=0)[:10], b"\x1f\x8b\xff" + bytes(30)])
def test_gzip_of_which_nothing_can_be_unpacked_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(CaptureError) as refusal:
        read_source(str(path))
    assert str(refusal.value).startswith(f"{path}: the gzip data is ")


@pytest.mark.parametrize(("limit", "refused"), [(len(NOISE), False), (len(NOISE) - 1, True), (1, True)])
def test_a_bomb_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, refused: bool) -> None:
    monkeypatch.setattr(source, "LARGEST_UNPACKED", limit)
    path.write_bytes(gzip.compress(NOISE, mtime=0))
    if refused:
        with pytest.raises(CaptureError, match=f"^{path}: unpacks to more than "):
            read_source(str(path))
    else:
        assert read_source(str(path)) == (NOISE, None)


def test_a_bomb_is_refused_before_it_is_unpacked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    make = zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._inner = make(wbits=wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            asked.append(most)
            return self._inner.decompress(data, most)

        def __getattr__(self, name: str) -> object:
            return getattr(self._inner, name)

    monkeypatch.setattr(zlib, "decompressobj", Counting)
    monkeypatch.setattr(source, "LARGEST_UNPACKED", 3 << 20)
    path.write_bytes(gzip.compress(bytes(64 << 20), 1, mtime=0))
    with pytest.raises(CaptureError, match="unpacks to more than"):
        read_source(str(path))
    assert len(asked) <= 5
    assert all(0 < most <= 1 << 20 for most in asked)


def test_many_small_members_count_together(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LARGEST_UNPACKED", 1000)
    path.write_bytes(gzip.compress(bytes(100), mtime=0) * 10)
    assert read_source(str(path)) == (bytes(1000), None)
    path.write_bytes(gzip.compress(bytes(100), mtime=0) * 11)
    with pytest.raises(CaptureError, match="unpacks to more than"):
        read_source(str(path))


@pytest.mark.parametrize("container", CONTAINERS)
def test_packed_or_not_the_capture_is_the_same(tmp_path: Path, container: str, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = Talk()
    raw = CONTAINERS[container](timed([*talk.shake(), talk.say(LISTED), query(b"blocked.example")]))
    (tmp_path / "plain").write_bytes(raw)
    monkeypatch.chdir(tmp_path)
    plain = check_capture("plain", sure_wall())
    (tmp_path / "plain").write_bytes(gzip.compress(raw, mtime=0))
    assert check_capture("plain", sure_wall()) == plain
    assert [flow.verdict for flow in plain] == ["blocked", "blocked"]


def test_a_packed_capture_that_is_cut_is_judged_as_far_as_it_goes(path: Path) -> None:
    chance = random.Random(1)
    talks = [Talk(sport=40000 + number, isn=chance.getrandbits(31)) for number in range(100)]
    raw = CONTAINERS["pcap"](timed(packet for talk in talks for packet in (talk.syn(), talk.say(LISTED))))
    path.write_bytes(gzip.compress(raw, mtime=0)[:-600])
    flows = check_capture(str(path), sure_wall())
    assert 0 < len(flows) < 100
    assert flows.summary.lost
    assert flows.summary.damaged[-1] == "the gzip data is cut"
    assert all(flow.verdict == "blocked" for flow in flows.flows[:-1])
    path.write_bytes(gzip.compress(raw, mtime=0)[:-4])  # all packets are there, but nothing vouches for them
    flows = check_capture(str(path), sure_wall())
    assert (len(flows), flows.summary.lost, flows.summary.damaged) == (100, True, ("the gzip data is cut",))


def test_bytes_that_were_let_go_can_still_be_read(path: Path) -> None:
    path.write_bytes(NOISE * 10)
    data, _ = read_source(str(path))
    for start, end in ((0, len(data)), (5, 10_000), (5000, 5001), (0, 0)):
        let_go(data, start, end)
        assert data[:] == NOISE * 10
    let_go(NOISE, 0, 100)  # nothing to let go of
