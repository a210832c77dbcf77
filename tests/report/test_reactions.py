"""What a box does and remembers, in words that hold for every box of every epoch."""

import pytest

from crenel.atlas.load import load_profile
from crenel.report.reactions import law_words, memory_words, reaction_words, template_words
from crenel.wall.law import Rule
from crenel.wall.reaction import Bucket, Reaction, Template
from crenel.wall.residual import Residual

FIXED = Rule(fixed=7)
RESET = Template(
    flags="RA", copies=3, toward=("client", "server"), seq=(0, 1460), ack="trigger-end", df=True, ip_id=FIXED, ttl=FIXED, window=FIXED,
    delay=Rule(fixed=2000),
)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(fixed=1857), "1,857"),
        (Rule(between=(10, 2000)), "10 to 2,000"),
        (Rule(between=(40, 240), step=1), "40 to 240, up by 1 with each copy"),
        (Rule(quantiles=((0.0, 5.0), (1.0, 4000.0))), "5 to 4,000 as measured"),
        (Rule(mirror=True), "as in the packet that was the ground"),
        (Rule(counter=(1, 255, 1)), "counted up by 1 from 1 to 255"),
        (Rule(line=(65390.0, -12.3, 1400)), "on the line 65,390 - 12.3 × window, within 1,400"),
    ],
)
def test_laws(rule: Rule, words: str) -> None:
    assert law_words(rule) == words


def test_forged_packets() -> None:
    assert template_words(RESET) == (
        "injects 3 × RST+ACK to client and server, sequence numbers +0 and +1,460; TTL 7; IP ID 7; window 7; DF; after 2,000 µs"
    )


def test_what_an_in_path_box_does() -> None:
    reaction = Reaction(withhold=True, throttle=Bucket(bytes_per_second=16000, burst=4000, toward="client"))
    assert reaction_words(reaction) == [
        "withholds the packet that was the ground",
        "from then on the client receives 16,000 bytes a second, after a burst of 4,000",
    ]


def test_memory() -> None:
    residual = Residual(
        parts=("client", "server"), seconds=90.0, refresh=True, from_="both", on="any", does="drop", chances=(0.5, 1.0), onset=Rule(fixed=100)
    )
    assert memory_words(residual).replace("\u00a0", " ") == (
        "client and server for 90 s, renewed by each packet that it hits: drops every packet of either end, on 50 % of flows, "
        "rising to 100 % with more triggers, beginning 100 ms after the trigger"
    )


def test_every_box_of_every_epoch_can_be_told() -> None:
    for box in load_profile()[0].middlebox:
        for epoch in box.epoch:
            told = [*reaction_words(epoch.reaction), *([] if epoch.residual is None else [memory_words(epoch.residual)])]
            assert told, (box.id, str(epoch.first_seen))
            assert all(sentence.isprintable() or "\u00a0" in sentence for sentence in told)
