"""One trial with a strategy at one end in; whether it did anything, and whether the client got its answer, out."""

from pathlib import Path

import pytest

from crenel.coins import KeyedCoins, ScriptedCoins
from crenel.evade.rate import trials_of
from crenel.evade.trial import Side
from tests.net.made import box, wall_with

CERTAIN = 'p = 1.0, per = "flow"'


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_strategy_works_at_the_end_that_is_asked_for(tmp_path: Path, side: Side) -> None:
    """The client's SYN is dropped, or the server's SYN/ACK; neither leaves a connection."""
    dna = {"client": "[TCP:flags:S]-drop-|", "server": "[TCP:flags:SA]-drop-|"}
    trials = trials_of(dna[side], wall_with(tmp_path, box("a", chance=CERTAIN)), side=side)
    trial = trials.run(KeyedCoins(0))
    assert (trial.success, trial.fired, trial.exchange.experience.ending) == (False, True, "timed out")
    other = trials_of(dna[side], wall_with(tmp_path, box("a", chance=CERTAIN)), side="server" if side == "client" else "client")
    assert not other.run(KeyedCoins(0)).fired


def test_an_inbound_tree_works_on_what_arrives(tmp_path: Path) -> None:
    """Resets that the client throws away do not end its connection."""
    wall = wall_with(tmp_path, box("a", chance=CERTAIN))
    assert not trials_of("", wall).run(KeyedCoins(0)).success
    deaf = trials_of("\\/ [TCP:flags:R]-drop-|", wall).run(KeyedCoins(0))
    # The server has the request by the time the forged reset comes, so that this one is out of its window.
    assert (deaf.fired, deaf.success, deaf.exchange.experience.ending) == (True, True, "answered")


def test_narrowed_trials_fare_alike(tmp_path: Path) -> None:
    """The second box looks for other names and tosses coins of its own."""
    other = box("b", chance='p = 0.5, per = "flow"').replace('list = "names"', 'list = "more"')
    entry = '{ name = "x.test", form = "suffix", source = "made-up" }'
    names = f'[list.more]\ntitle = "More"\nkind = "names"\nsources = ["made-up"]\nentries = [{entry}]\n'
    trials = trials_of("", wall_with(tmp_path, names, box("a", chance='p = 0.5, per = "flow"'), other))
    narrow = trials.narrowed()
    assert [one.id for one in narrow.wall.boxes] == ["a"]
    assert narrow.route.walls == (narrow.wall,)
    for acts in (True, False):
        coins = ScriptedCoins({"a/act": acts})
        assert trials.run(coins).success == narrow.run(coins).success == (not acts)


def test_each_trial_begins_without_memory(tmp_path: Path) -> None:
    """Gas for one packet is there again in the next trial."""
    trials = trials_of("[TCP:flags:S:1]-drop-|", wall_with(tmp_path, box("a", chance=CERTAIN)))
    assert [trials.run(KeyedCoins(0, trial)).fired for trial in range(3)] == [True] * 3
