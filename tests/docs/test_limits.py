"""The page of limits beside the model: its numbers are those of the code, and what it calls a gap is still one."""

from importlib import resources
from pathlib import Path

import pytest

import crenel
from crenel.atlas.load import load_profile
from crenel.flow.fragments import FragmentLimits
from crenel.flow.reassembly import StreamLimits
from crenel.net.app.speaker import PATIENCE
from crenel.net.lab.tally import MOST_EVENTS, MOST_OF_FLOW
from crenel.net.odds import MOST_OUTCOMES
from crenel.net.replay import judge
from crenel.net.sim.trials import AFTERGLOW, LONGEST
from crenel.wall.run import KEPT_PACKETS
from crenel.wire import link

LIMITS = " ".join((Path(__file__).parents[2] / "docs" / "limits.md").read_text("utf-8").split())
GFW = (resources.files("crenel.atlas") / "walls" / "gfw.toml").read_text("utf-8")
PROFILE = load_profile("gfw")[0]
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (PROFILE.limits.flows, "flows remembered at once | {:,} |"),
        (PROFILE.limits.residual_entries, "residual entries | {:,} |"),
        (PROFILE.limits.stream_bytes, "held unread | {:,} |"),
        (StreamLimits().held_pieces, "of one connection | {:,}, or"),
        (StreamLimits().held_bytes, "or {:,} bytes | the farthest"),
        (FragmentLimits().datagrams, "incomplete IP datagrams | {:,}, or"),
        (FragmentLimits().held_bytes, "or {:,} bytes | the one that began first"),
        (FragmentLimits().lifetime // SECOND, "incomplete IP datagram | {} s |"),
        (link._MAX_LAYERS, "layers of encapsulation | {} |"),
        (KEPT_PACKETS, "exact chance | {} |"),
        (MOST_OUTCOMES, "coins on one flow | {} |"),
        (MOST_OF_FLOW, "Of a flow {:,} packets are kept"),
        (MOST_EVENTS, "and {:,} events in all"),
        (LONGEST // SECOND, "broken off after {} s of virtual time"),
        (PATIENCE[0] // SECOND, "and {} s of patience over TCP"),
        (judge._IDLE // SECOND, "silent for {} s is a new flow"),
    ],
)
def test_a_number_is_that_of_the_code(number: int, words: str) -> None:
    assert words.format(number) in LIMITS


@pytest.mark.parametrize(
    "gap",
    [
        "IPv6 was not measured; it is treated like IPv4",
        "measured for two weeks of November 2024 and used for all days",
        "queries to OpenDNS were left alone in 2017",
        "a forged SYN/ACK that answers a SYN during the 90 s is left out",
        "its parser was not taken apart; that of injector 3 is used",
        "the fingerprint is said to have changed around the turn of 2023 to 2024, without figures; the older one is kept",
        "the two parsers and their shares are read off recorded verdicts",
        "between February 2022 and September 2023",
        "from 2024-09-30 flows from outside were judged only towards Beijing and Guangzhou",
        "RETR is a guess",
        "one half after one trigger and a plateau after seven are measured; the steps between are a straight line",
        "the wall's own tables are not known in this detail; these bound the bench's memory",
    ],
)
def test_the_wall_still_assumes_it(gap: str) -> None:
    assert gap in GFW


def test_no_box_reads_imap_or_pop3() -> None:
    assert not [kind for kind in ("imap", "pop3") for box in PROFILE.middlebox for epoch in box.epoch if kind in str(epoch.trigger).lower()]


def test_every_server_counts_as_affected() -> None:
    noise = bytes((value * 73 + 41) % 256 for value in range(200))
    chances = {crenel.chance(noise, crenel.load_wall("gfw", "2022-06-01", vantage=place), port=8388) for place in ("beijing", "four-cities-2020")}
    assert len(chances) == 1
    assert chances.pop() > 0


@pytest.mark.parametrize(
    ("box", "day", "seq"),
    [
        ("http-host", "2017-05-01", (0, 1460, 4380)),
        ("http-host", "2025-01-15", (0, 1460, 4380)),
        ("tls-sni-triple", "2023-05-31", (0, 1460, 4380)),
        ("tls-sni-triple", "2023-10-02", (0,)),
    ],
)
def test_the_offsets_of_reset_triples_are_those_of_their_time(box: str, day: str, seq: tuple[int, ...]) -> None:
    found = next(one for one in crenel.load_wall("gfw", day).boxes if one.id == box)
    assert {template.seq for template in found.reaction.inject if template.copies == 3} == {seq}


def test_injectors_hear_ipv6_only_from_outside() -> None:
    scopes = {epoch.scope.versions for box in PROFILE.middlebox for epoch in box.epoch if box.id in {"dns-1", "dns-2", "dns-3"}}
    assert scopes == {(4,)}
    hearing = {(box.id, str(epoch.first_seen)) for box in PROFILE.middlebox for epoch in box.epoch if epoch.scope.versions_from_outside == (4, 6)}
    assert {box for box, _ in hearing} == {"dns-3"}
    assert min(day for _, day in hearing) == "2021-10-01"


def test_an_exchange_is_followed_for_a_second_more() -> None:
    assert AFTERGLOW == SECOND
    assert "followed for one second after its client knows how it ends" in LIMITS
