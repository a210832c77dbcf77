"""The ladders of each mechanism of the shipped wall, and of the invented one: each must happen as written, and again as a capture."""

from pathlib import Path

import pytest

from tests.conversation import Ladder, compare_with_replay, play, read_ladders

FILES = sorted(Path(__file__).parent.rglob("*.ladder"))
LADDERS = [pytest.param(ladder, id=f"{path.stem}: {ladder.title}") for path in FILES for ladder in read_ladders(path)]


@pytest.mark.parametrize("ladder", LADDERS)
def test_a_conversation_goes_as_written(ladder: Ladder) -> None:
    play(ladder)


@pytest.mark.parametrize("ladder", LADDERS)
def test_a_capture_of_it_is_judged_alike(ladder: Ladder) -> None:
    compare_with_replay(ladder)
