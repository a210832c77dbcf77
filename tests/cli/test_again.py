"""The command that gives the same again: with what was left to a default resolved, and fit for a shell."""

import shlex

from crenel.cli.again import command_again
from crenel.cli.options import Judging


def test_all_that_decides_the_answer_is_in_it() -> None:
    judging = Judging("w.toml", "2025-01-15", 7, 0.1, "beijing", {"a.b": "c d"}, {"names": "n.txt"}, ("x.example", "*"), ("10.0.0.0/8",))
    words = shlex.split(command_again("check", ["a b.pcap", "c.pcap"], [("--port", 53), ("--udp", True), ("--after", None)], judging))
    assert words == [
        "crenel", "check", "--port", "53", "--udp", "--wall", "w.toml", "--as-of", "2025-01-15", "--seed", "7", "--tolerate", "0.1", "--vantage",
        "beijing", "--assume", "a.b=c d", "--list", "names=n.txt", "--listed", "x.example", "--listed", "*", "--inside", "10.0.0.0/8", "a b.pcap",
        "c.pcap",
    ]  # fmt: skip


def test_defaults_are_left_out_and_hostile_words_are_quoted() -> None:
    plain = Judging(None, "2025-01-15", 0, 0.0, None, {}, {}, (), ())
    assert command_again("try", ["a.example"], (), plain) == "crenel try --as-of 2025-01-15 --seed 0 a.example"
    assert shlex.split(command_again("check", ["; rm x", "-y.pcap"], (), plain))[-3:] == ["--", "; rm x", "-y.pcap"]
