"""Grounds and memory in, what boxes do about them out: who shares a toss, what is injected, withheld or slowed, and what a forecast says."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from crenel.coins import Coins, KeyedCoins, ScriptedCoins, enumerate_trials
from crenel.instant import Instant
from crenel.wall.effects import Armed, Drop, Effect, Inject, Missed, Side, Throttle
from crenel.wall.run import Run
from crenel.wall.settle import side_of_end
from crenel.wire.packet import ACK, FIN, RST, SYN, Packet
from tests.net.made import RESET, box, wall_with
from tests.wall.making import FREE, LISTED, SERVER, at, flow, opening, show, show_each, to_client, to_server, words

ANOTHER = bytes((198, 51, 100, 9))
MEMORY = (
    'residual = {{ tuple = ["client", "server", "server_port"], seconds = 60, refresh = {refresh}, from = "{sender}", on = "any", '
    'does = "{does}", chances = {chances}, onset = {{ fixed = 0 }}{inject} }}'
)
TEMPLATE = (
    '{{ flags = "{flags}", copies = 1, toward = {toward}, seq = [0], ack = "zero", df = false, ip_id = {{ fixed = 0 }}, ttl = {{ fixed = 64 }}, '
    'window = {{ fixed = 0 }}, payload = "{payload}", delay = {{ fixed = {delay} }}{more} }}'
)


def one(*, flags: str = "R", toward: str = '["client"]', payload: str = "", delay: int = 1, more: str = "") -> str:
    return TEMPLATE.format(flags=flags, toward=toward, payload=payload, delay=delay, more=more)


def memory(*, does: str = "drop", chances: str = "[1.0]", refresh: str = "false", sender: str = "client", inject: str = "") -> str:
    return MEMORY.format(does=does, chances=chances, refresh=refresh, sender=sender, inject=f", inject = [{inject}]" if inject else "")


class Toss(ScriptedCoins):
    """Coins that fall as told one after another, each once for its box, scope and name; they count."""

    def __init__(self, *outcomes: bool) -> None:
        super().__init__()
        self.outcomes = list(outcomes)
        self.known: dict[tuple[str, bytes, str], bool] = {}

    def toss(self, box: str, scope: bytes, name: str, p: float) -> bool:
        if p <= 0.0 or p >= 1.0:
            return p >= 1.0
        place = (box, scope, name)
        if place not in self.known:
            self.known[place] = self.outcomes.pop(0)
        return self.known[place]


def per(folder: Path, what: str, *, p: float = 0.5) -> str:
    return box("a", chance=f'p = {p}, per = "{what}"')


def outcomes(run: Run, *packets: Sequence[Packet]) -> list[str]:
    """Return the kinds of effects of several conversations."""
    return [word for number, some in enumerate(packets) for word in words(show(run, some, start=number))]


# Who shares a toss.


def test_two_grounds_of_a_flow_share_a_toss(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, per(tmp_path, "flow"))
    assert outcomes(wall.start(Toss(False)), flow(LISTED, LISTED)) == ["Missed"]
    coins = Toss(True)
    assert "Missed" not in outcomes(wall.start(coins), flow(LISTED, LISTED))
    assert len(coins.known) == 1


def test_two_flows_do_not_share_one(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, per(tmp_path, "flow"))
    assert outcomes(wall.start(Toss(False, True)), flow(LISTED), flow(LISTED, port=50001)) == ["Missed", "Inject", "Inject"]


def test_two_flows_of_a_pair_share_one_where_the_profile_says_so(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, per(tmp_path, "pair"))
    assert outcomes(wall.start(Toss(False)), flow(LISTED), flow(LISTED, port=50001)) == ["Missed", "Missed"]
    assert outcomes(wall.start(Toss(True)), flow(LISTED), flow(LISTED, port=50001)) == ["Inject"] * 4


def test_another_pair_has_a_toss_of_its_own(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, per(tmp_path, "pair"))
    assert outcomes(wall.start(Toss(False, True)), flow(LISTED), flow(LISTED, server=ANOTHER)) == ["Missed", "Inject", "Inject"]


def test_each_ground_has_a_toss_of_its_own_where_the_profile_says_so(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, per(tmp_path, "event"))
    assert outcomes(wall.start(Toss(False, False, True)), flow(LISTED, LISTED, LISTED)) == ["Missed", "Missed", "Inject", "Inject"]


def test_the_same_ports_later_are_another_flow(tmp_path: Path) -> None:
    """A flow is told by its ports and by when it began."""
    coins, wall = Toss(False, True), wall_with(tmp_path, per(tmp_path, "flow"))
    assert [words(show(wall.start(coins), flow(LISTED), start=start)) for start in (0, 10)] == [["Missed"], ["Inject", "Inject"]]


@pytest.mark.parametrize(("what", "chance"), [("flow", 0.25), ("pair", 0.25), ("event", 0.4375)])
def test_the_chance_of_two_grounds_is_that_of_one_toss_or_of_two(tmp_path: Path, what: str, chance: float) -> None:
    wall = wall_with(tmp_path, per(tmp_path, what, p=0.25))

    def acts(coins: Coins) -> bool:
        return "Inject" in words(show(wall.start(coins), flow(LISTED, LISTED)))

    assert enumerate_trials(acts).chance(bool) == pytest.approx(chance)


@pytest.mark.parametrize("what", ["flow", "pair", "event"])
def test_what_is_certain_needs_no_coin(tmp_path: Path, what: str) -> None:
    for p, expected in ((1.0, ["Inject", "Inject"]), (0.0, [])):
        coins = Toss()
        assert outcomes(wall_with(tmp_path, per(tmp_path, what, p=p)).start(coins), flow(LISTED)) == expected


def test_every_effect_says_with_which_chance_it_came(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, per(tmp_path, "flow", p=0.75))
    for coins in (Toss(True), Toss(False)):
        effects = show(wall.start(coins), flow(LISTED))
        assert effects
        assert {effect.because.chance for effect in effects if isinstance(effect, Inject | Missed)} == {0.75}


# Reactions.


def reacting(folder: Path, reaction: str, *, coins: Coins | None = None, placement: str = "in-path") -> list[Effect]:
    wall = wall_with(folder, box("a", chance='p = 1.0, per = "flow"', reaction=reaction, placement=placement))
    return show(wall.start(coins or ScriptedCoins()), flow(LISTED))


def test_a_packet_is_withheld_before_anything_is_sent(tmp_path: Path) -> None:
    effects = reacting(tmp_path, f"withhold = true, {RESET}")
    assert words(effects) == ["Drop", "Inject", "Inject"]


@pytest.mark.parametrize(("toward", "side"), [("client", Side.INSIDE), ("server", Side.OUTSIDE), ("both", None)])
def test_a_flow_is_slowed_toward_the_ends_that_the_profile_names(tmp_path: Path, toward: str, side: Side | None) -> None:
    (effect,) = reacting(tmp_path, f'throttle = {{ bytes_per_second = 1000, burst = 300, toward = "{toward}" }}')
    assert isinstance(effect, Throttle)
    assert (effect.bytes_per_second, effect.burst, effect.toward) == (1000, 300, side)


def test_templates_are_sent_in_their_order_each_after_its_delay(tmp_path: Path) -> None:
    effects = reacting(tmp_path, f"inject = [{one(flags='R', delay=5)}, {one(flags='RA', delay=2)}]")
    assert [(effect.packet.flags, effect.after) for effect in effects if isinstance(effect, Inject)] == [(RST, 5000), (RST | ACK, 2000)]


@pytest.mark.parametrize(("outcomes", "flags"), [((True,), RST), ((False, True), RST | ACK), ((False, False), FIN)])
def test_of_templates_with_shares_one_is_sent(tmp_path: Path, outcomes: tuple[bool, ...], flags: int) -> None:
    shares = [one(flags=letters, more=f", share = {share}") for letters, share in (("R", 0.5), ("RA", 0.3), ("F", 0.2))]
    effects = reacting(tmp_path, f"inject = [{', '.join(shares)}]", coins=Toss(*outcomes))
    assert [effect.packet.flags for effect in effects if isinstance(effect, Inject)] == [flags]


def test_shares_are_the_chances_of_their_templates(tmp_path: Path) -> None:
    shares = [one(flags=letters, more=f", share = {share}") for letters, share in (("R", 0.5), ("RA", 0.3), ("F", 0.2))]

    def sent(coins: Coins) -> int:
        (effect,) = reacting(tmp_path, f"inject = [{', '.join(shares)}]", coins=coins)
        assert isinstance(effect, Inject)
        return effect.packet.flags

    trials = enumerate_trials(sent)
    for flags, share in ((RST, 0.5), (RST | ACK, 0.3), (FIN, 0.2)):
        assert trials.chance(lambda seen, wanted=flags: seen == wanted) == pytest.approx(share)  # type: ignore[misc]


@pytest.mark.parametrize("client_inside", [True, False])
def test_packets_go_to_the_side_on_which_an_end_stands(tmp_path: Path, client_inside: bool) -> None:
    run = wall_with(tmp_path, box("a", chance='p = 1.0, per = "flow"')).start(ScriptedCoins())
    side, other = (Side.INSIDE, Side.OUTSIDE) if client_inside else (Side.OUTSIDE, Side.INSIDE)
    effects = [effect for number, packet in enumerate(flow(LISTED)) for effect in run.see(at(number), side, packet)]
    assert [(effect.toward, effect.packet.src == SERVER) for effect in effects if isinstance(effect, Inject)] == [(side, True), (other, False)]
    (record,) = run.flows.live()
    assert (side_of_end(record, second=False), side_of_end(record, second=True)) == (side, other)


def test_a_ground_that_arms_says_so_after_it_acted(tmp_path: Path) -> None:
    run = wall_with(tmp_path, box("a", chance='p = 1.0, per = "flow"', more=memory())).start(ScriptedCoins())
    effects = show(run, flow(LISTED), step=0)
    assert words(effects) == ["Inject", "Inject", "Armed"]
    armed = effects[-1]
    assert isinstance(armed, Armed)
    assert (armed.until, armed.because.value, armed.because.residual) == (at(60), b"blocked.example", None)


def test_a_ground_on_which_the_box_does_not_act_arms_nothing(tmp_path: Path) -> None:
    run = wall_with(tmp_path, box("a", more=memory())).start(Toss(False))
    assert outcomes(run, flow(LISTED)) == ["Missed"]
    assert not run.armed


# Memory enforced.


def armed_run(folder: Path, coins: Coins | None = None, *, triggers: int = 1, mode: str = "live", **more: str) -> Run:
    """Return a run whose box has memory after some triggers within the first second, each on a port of its own."""
    wall = wall_with(folder, box("a", chance='p = 1.0, per = "flow"', more=memory(**more)))
    run = wall.start(coins or ScriptedCoins(), mode="forecast" if mode == "forecast" else "live")
    for number in range(triggers):
        # The SYN comes before the memory, so that the flow is seen whole; its later packets set off another trigger all the same.
        show(run, flow(LISTED, port=40000 + number), start=0.01 * number, step=0)
    return run


def test_a_memory_that_drops_withholds_each_packet_of_its_key(tmp_path: Path) -> None:
    run = armed_run(tmp_path)
    effects = show_each(run, flow(LISTED), start=1)
    assert [words(one) for one in effects] == [["Drop"]] * 3
    first = effects[0][0]
    assert isinstance(first, Drop)
    assert first.because.read == "residual"
    assert first.because.rule == "remembered for 60 s by client, server, server port"
    assert first.because.residual == "after 1 trigger(s), 59.0 s before it ends"
    assert first.because.armed_by == 1


def test_a_memory_that_resets_lets_packets_go_on(tmp_path: Path) -> None:
    """What goes on is read, and is a ground of its own."""
    run = armed_run(tmp_path, does="reset", inject=one(flags="RA", toward='["client"]'))
    effects = show_each(run, flow(LISTED), start=1)
    assert [words(some) for some in effects] == [["Inject"], ["Inject"], ["Inject", "Inject", "Inject", "Armed"]]
    first = effects[0][0]
    assert isinstance(first, Inject)
    assert (first.packet.flags, first.toward, first.because.read) == (RST | ACK, Side.INSIDE, "residual")


def test_a_memory_hits_the_server_s_packets_where_the_profile_says_so(tmp_path: Path) -> None:
    run = armed_run(tmp_path, sender="server")
    packets = [to_server(1, SYN, port=50001), to_client(1, SYN | ACK, port=50001), to_client(2, ACK, b"x", port=50001)]
    assert [words(some) for some in show_each(run, packets, start=1)] == [[], ["Drop"], ["Drop"]]


@pytest.mark.parametrize(("triggers", "chance"), [(1, 0.2), (2, 0.5), (3, 0.9), (4, 0.9), (9, 0.9)])
def test_the_chance_grows_with_the_triggers_and_then_stays(tmp_path: Path, triggers: int, chance: float) -> None:
    """No memory is enforced while they come: all coins fall to miss."""
    coins = ScriptedCoins(otherwise=False)
    run = armed_run(tmp_path, coins, triggers=triggers, chances="[0.2, 0.5, 0.9]")
    (effect,) = run.see(at(1), Side.INSIDE, to_server(1, SYN))
    assert isinstance(effect, Missed)
    assert (effect.because.chance, effect.because.armed_by) == (chance, triggers)


def test_a_missed_memory_is_told_once_for_a_flow(tmp_path: Path) -> None:
    run = armed_run(tmp_path, ScriptedCoins(otherwise=False), chances="[0.5]")
    assert [words(some) for some in show_each(run, flow(FREE), start=1)] == [["Missed"], [], []]
    assert words(run.see(at(2), Side.INSIDE, to_server(1, SYN, port=50005))) == ["Missed"]


def test_flows_toss_apart_for_a_memory_and_keep_to_their_outcome(tmp_path: Path) -> None:
    run = armed_run(tmp_path, Toss(True, False), chances="[0.5]")
    assert outcomes(run, [], flow(FREE), flow(FREE, port=50001)) == ["Drop", "Drop", "Drop", "Missed"]


# Forecasts.


def test_a_forecast_reports_later_grounds_as_missed(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", chance='p = 1.0, per = "event"'), box("b", chance='p = 1.0, per = "event"'))
    effects = show_each(wall.start(ScriptedCoins(), mode="forecast"), flow(LISTED, LISTED))
    assert [words(some) for some in effects] == [[], [], ["Inject"] * 4, ["Missed"] * 2]


def test_boxes_that_act_on_one_packet_all_do_so_in_a_forecast(tmp_path: Path) -> None:
    """They stand side by side: what one does to the flow comes too late for the other."""
    wall = wall_with(tmp_path, box("a", chance='p = 1.0, per = "flow"'), box("b", chance='p = 1.0, per = "flow"'))
    effects = show(wall.start(ScriptedCoins(), mode="forecast"), flow(LISTED))
    assert [effect.because.middlebox for effect in effects if isinstance(effect, Inject)] == ["a", "a", "b", "b"]


def test_a_forecast_withholds_nothing_and_reports_a_drop_once(tmp_path: Path) -> None:
    run = armed_run(tmp_path, mode="forecast")
    effects = show_each(run, flow(LISTED), start=1)
    assert [words(some) for some in effects] == [["Drop"], [], ["Missed"]]


def test_the_flow_that_armed_a_memory_is_not_hit_by_it_in_a_forecast(tmp_path: Path) -> None:
    for mode, expected in (("live", ["Drop"]), ("forecast", [])):
        run = armed_run(tmp_path, mode=mode)
        assert words(run.see(at(1), Side.INSIDE, to_server(2000, ACK, b"x", port=40000))) == expected


def test_a_run_can_be_repeated(tmp_path: Path) -> None:
    wall = wall_with(tmp_path, box("a", more=memory(chances="[0.3, 0.6]")), box("b", chance='p = 0.3, per = "pair"'))
    talks = [flow(LISTED, FREE, LISTED, port=40000 + number) for number in range(20)]
    seen = [[show(run, talk) for talk in talks] for run in (wall.start(KeyedCoins(3)), wall.start(KeyedCoins(3)), wall.start(KeyedCoins(4)))]
    assert seen[0] == seen[1] != seen[2]


def test_an_opening_without_ground_draws_nothing(tmp_path: Path) -> None:
    run = wall_with(tmp_path, box("a", chance='p = 1.0, per = "flow"', more=memory())).start(ScriptedCoins())
    assert show(run, [*opening(), to_client(5001, FIN | ACK)]) == []
    assert run.see(Instant(at(9)), Side.INSIDE, to_server(1001, RST)) == []
