"""`crenel bench`: how fast captures are judged and exchanges simulated here, beside the peers that are installed, measured in the same run.

Captures are written from a seed; speed is packets per second of one process, from the opened file to JSON lines in a null device. That
of simulated exchanges is exchanges per second of one process.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from crenel.atlas.compile import load_wall
from crenel.atlas.describe import bench_dates
from crenel.bench import traffic, trials
from crenel.net.replay.check import judge_capture
from crenel.net.trace import FlowReport
from crenel.wall.wall import Wall

_ROUNDS = 3
EXCHANGES = "exchanges"
"""What the rows of simulated exchanges are called together."""
SIMULATED = 5_000
"""Simulated HTTP exchanges per second that are wanted."""
PAIRS = 1_000
"""The same for two exchanges with a pause between them."""


class Target(msgspec.Struct, frozen=True):
    """One capture of the bench and what is wanted of it."""

    name: str
    make: Callable[[int, int], Iterator[bytes]]
    share: int
    """The capture has this part of the packets asked for."""
    wanted: int
    """Packets per second."""
    packets_per_flow: int


TARGETS = (
    Target("openings", traffic.openings, 1, 100_000, 2),
    Target("established", traffic.established, 1, 400_000, traffic.FLOW_PACKETS),
    Target("quic", traffic.quic, 10, 15_000, 1),
)


def main(packets: int = 200_000, only: tuple[str, ...] = (), seed: int = 0) -> int:
    """Run the bench and print its table; return 0 where every target was met, otherwise 1."""
    met = True
    with tempfile.TemporaryDirectory(prefix="crenel-bench-") as folder:
        _line("capture", "as of", "packets/s", "wanted", "flows/s", "")
        for target in TARGETS:
            if only and target.name not in only:
                continue
            path = Path(folder) / f"{target.name}.pcap"
            count = packets // target.share
            with path.open("wb") as file:
                for chunk in target.make(seed, count):
                    file.write(chunk)
            speeds = {}
            for date in map(str, bench_dates()):
                speed, flows = _judge(path, load_wall(as_of=date), -(-count // target.packets_per_flow))
                speeds[date] = speed
                met = met and speed >= target.wanted
                _line(target.name, date, f"{speed:,.0f}", f"{target.wanted:,}", f"{flows:,.0f}", "" if speed >= target.wanted else "below")
            for peer, run, factor in _PEERS.get(target.name, ()):
                other = run(path, count)
                if other is None:
                    _line(f"  {peer}", "", "not installed", "", "", "")
                    continue
                ratio = min(speeds.values()) / other
                met = met and ratio >= factor
                _line(f"  {peer}", "", f"{other:,.0f}", f"{factor}x", f"{ratio:.1f}x", "" if ratio >= factor else "below")
    return 0 if _simulate(only, packets) and met else 1


def _simulate(only: tuple[str, ...], packets: int) -> bool:
    """Print the rows of simulated exchanges; say whether every target was met."""
    if only and EXCHANGES not in only:
        return True
    met = True
    count = max(packets // 100, 10)
    _line("simulated", "as of", "a second", "wanted", "", "")
    for date in map(str, bench_dates()):
        wall = load_wall(as_of=date)
        rows = [(name, trials.exchanges(wall, host, count), SIMULATED) for name, host in trials.HOSTS.items()]
        rows.append((trials.REMEMBERED, trials.remembered(wall, count), PAIRS))
        for name, speed, wanted in rows:
            met = met and speed >= wanted
            _line(name, date, f"{speed:,.0f}", f"{wanted:,}", "", "" if speed >= wanted else "below")
    return met


def _line(*cells: str) -> None:
    sys.stdout.write("{:<28}{:<12}{:>14}{:>10}{:>12}  {}\n".format(*cells).rstrip() + "\n")
    sys.stdout.flush()


def _judge(path: Path, wall: Wall, flows: int) -> tuple[float, float]:
    """Judge a capture and write JSON lines to the null device; return packets and flows per second, the best of a few rounds."""
    best = 0.0
    encode = msgspec.json.Encoder().encode
    packets = judged = 0
    for _ in range(_ROUNDS):
        with Path(os.devnull).open("wb") as sink:
            counted = [0]

            def take(report: FlowReport, write: Callable[[bytes], int] = sink.write, counted: list[int] = counted) -> None:
                write(encode(report) + b"\n")
                counted[0] += 1

            begun = time.perf_counter()
            summary = judge_capture(str(path), wall, take)
            took = time.perf_counter() - begun
        if counted[0] != flows or summary.flows != flows:
            message = f"{path.name}: {counted[0]} of {flows} flows were judged"
            raise AssertionError(message)
        packets, judged = summary.packets, counted[0]
        best = max(best, 1.0 / took)
    return packets * best, judged * best


def _scapy(path: Path, packets: int) -> float | None:
    try:
        import scapy.all  # noqa: F401  registers the layers, without which nothing is dissected
        from scapy.utils import PcapReader
    except ImportError:
        return None
    sample = min(packets, 20_000)  # its speed does not depend on the number, and our patience does
    begun = time.perf_counter()
    with PcapReader(str(path)) as reader:
        read = sum(1 for _ in zip(range(sample), reader, strict=False))
    return read / (time.perf_counter() - begun)


def _dpkt(path: Path, packets: int) -> float | None:
    try:
        import dpkt
    except ImportError:
        return None
    begun = time.perf_counter()
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            dpkt.ethernet.Ethernet(frame)
    return packets / (time.perf_counter() - begun)


def _tshark(path: Path, packets: int) -> float | None:
    program = shutil.which("tshark")
    if program is None:
        return None
    begun = time.perf_counter()
    subprocess.run(
        [program, "-n", "-r", str(path), "-Y", "tls.handshake.extensions_server_name", "-T", "fields", "-e", "tls.handshake.extensions_server_name"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )
    return packets / (time.perf_counter() - begun)


_PEERS: dict[str, tuple[tuple[str, Callable[[Path, int], float | None], int], ...]] = {
    "openings": (("scapy, bare dissection", _scapy, 10), ("tshark, SNI extraction", _tshark, 2)),
    "established": (("dpkt, bare parse", _dpkt, 2),),
}
