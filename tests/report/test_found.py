"""What a search came to in, its lines for a reader out."""

import msgspec

from crenel.report.found import DecidingCoin, FoundStrategy, Like, SearchResult, search_lines
from crenel.report.layout import plain

ONE = FoundStrategy(
    "tear-down", r"[TCP:flags:A]-drop-| \/", 2, 0.8934, True, (0.8934, 0.8934), (DecidingCoin("box/off", 0.893, 1.0, 0.0),),
    ("open: client R -> off",), Like("rst-md5", "rules"),
)  # fmt: skip
RESULT = SearchResult("made", "2019-06-01", "http", "client", 3, 12, 2400, 80, False, 0.03, (ONE,))


def text(result: SearchResult, width: int | None = None) -> str:
    """Return what a reader sees."""
    return "\n".join(plain(line) for line in search_lines(result, width))


def test_each_family_is_shown_with_its_rate_and_why() -> None:
    shown = text(RESULT)
    assert "made as of 2019-06-01, http, strategies at the client" in shown
    assert "2,400 strategies in 12 generations from seed 3" in shown
    assert "without    3 % succeed" in shown
    assert "tear-down: a box took the connection for ended" in shown
    assert "89.3 %, exactly; decided by box/off (89.3 %: 100 %, else 0 %)" in shown
    assert "published  rst-md5 (by the same rules)" in shown


def test_a_sampled_rate_has_its_interval_and_an_interrupted_search_says_so() -> None:
    sampled = msgspec.structs.replace(ONE, exact=False, interval=(0.8, 0.95), coins=(), rules=(), like=None)
    shown = text(msgspec.structs.replace(RESULT, found=(sampled,), interrupted=True))
    assert "sampled, 95 % interval 80 % to 95 %" in shown
    assert "; interrupted" in shown
    assert "published" not in shown


def test_nothing_found_is_said() -> None:
    assert text(msgspec.structs.replace(RESULT, found=())).endswith("nothing was found")


def test_lines_fit_the_terminal_but_for_strategies() -> None:
    lines = [plain(line) for line in search_lines(RESULT, 60)]
    assert all(len(line) <= 60 for line in lines)
