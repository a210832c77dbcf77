"""The account of an exchange, whole: what a person reads who asked what a wall does to one URL."""

import msgspec
import pytest

from crenel.net.sim.tries import payload_target
from crenel.report.account import counted_seconds, outcome_words, rate_words
from crenel.report.exchange import wilson
from crenel.report.text import cells
from tests.report.tried import FOLDER, NOISE, SNAPSHOTS, carried, told, wall_of


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_the_whole_output(name: str) -> None:
    """To take new snapshots: python -m tests.report.tried ."""
    assert SNAPSHOTS[name]() == (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_longer_than_the_terminal(width: int) -> None:
    name = ".".join(["a" * 60] * 4)
    exchanges = [
        *carried(wall_of(listed=("*",)), f"https://{name}/", f"http://{name}/{'b' * 900}", name, f"smtp://{name}/x@{name}"),
        *carried(wall_of("2022-06-01", 2), payload_target([NOISE, bytes(3000)], "tcp", 8388)),
    ]
    assert max(cells(line) for one in exchanges for line in told([one], width)) <= width


def test_a_pipe_gets_ladders_of_one_width_and_paragraphs_of_one_line() -> None:
    lines = told(carried(wall_of(), "https://blocked.example/"), None)
    assert any(line.startswith("verdict     at risk") and line.endswith("reset it for its server name") for line in lines)
    assert max(len(line) for line in lines if "|" in line) <= 100


@pytest.mark.parametrize("target", ["http://blocked.example/\x1b[31m\u202e", "http://allowed.example/?q=\x07ultrasurf"])
def test_hostile_text_moves_no_cursor(target: str) -> None:
    lines = told(carried(wall_of(), target))
    assert all(line.isprintable() for line in lines)
    assert "\u202e" not in "".join(lines)


def test_what_is_remembered_and_until_when() -> None:
    lines = " ".join(told(carried(wall_of(), "https://blocked.example/"), 200))
    assert "afterwards  remembered by tls-sni-single and tls-sni-triple until 180.2 s after the client began" in lines


def test_answers_tell_which_came_first_by_how_much_and_who_forged_them() -> None:
    lines = told(carried(wall_of(), "blocked.example"))
    answers = lines[lines.index(next(line for line in lines if line.startswith("answers"))) :][:4]
    assert [("first" in line, "later" in line) for line in answers] == [(True, False), (False, True), (False, True), (False, True)]
    assert [line.rpartition(", ")[2] for line in answers] == ["forged by dns-1", "forged by dns-3", "forged by dns-2", "the server's own"]


def test_a_lucky_draw_is_said_to_be_one() -> None:
    lines = told(carried(wall_of("2022-06-01", 0), payload_target(NOISE, "tcp", 8388)))
    assert any("this draw was lucky" in line for line in lines)
    assert not any("this draw was lucky" in line for line in told(carried(wall_of(), "https://allowed.example/")))


def test_the_hint_about_the_look_up_is_for_names_alone() -> None:
    for target, hinted in (("https://allowed.example/", True), ("https://192.0.2.1/", False), ("allowed.example", False)):
        assert any("the look-up of the name" in line for line in told(carried(wall_of(), target))) == hinted


def test_a_failure_is_not_blamed_on_the_wall() -> None:
    tried = carried(wall_of(), "https://allowed.example/")[0]
    silent = msgspec.structs.replace(tried.exchange.experience, ending="timed out", says="nothing came")
    failed = msgspec.structs.replace(tried, exchange=msgspec.structs.replace(tried.exchange, experience=silent))
    assert outcome_words(failed) == "failed, and the wall had no part in it, after 486.0\u00a0ms: nothing came"


def test_a_box_that_acted_in_vain_is_named() -> None:
    tried = carried(wall_of(), "https://blocked.example/")[0]
    lucky = msgspec.structs.replace(tried.exchange.experience, ending="answered", says="a page")
    passed = msgspec.structs.replace(tried, exchange=msgspec.structs.replace(tried.exchange, experience=lucky))
    assert outcome_words(passed).startswith("passed: the client has its answer")
    assert "although tls-sni-single acted: a page" in outcome_words(passed)


def test_the_wording_of_a_rate() -> None:
    words = rate_words(wilson(97, 100), 0.985).replace("\u00a0", " ")
    assert words == "97 of 100 trials blocked, 97 % (95 % interval 92 % to 99 %); the exact chance that a box acts is 98 %"


def test_seconds_have_no_needless_decimals() -> None:
    assert [counted_seconds(value) for value in (10.0, 0.5, 3600.0)] == ["10\u00a0s", "0.5\u00a0s", "3,600\u00a0s"]
