"""Finding strategies in; their accounts for people and their records for programs out."""

from crenel.atlas.compile import load_wall
from crenel.atlas.strategies import named
from crenel.evade.rate import trials_of
from crenel.evade.tested import Finding, go_through
from crenel.report.citing import known_sources
from crenel.report.layout import plain
from crenel.report.tested import IDLE, finding_lines, rules_of, strategy_report, why_words

WALL = load_wall("gfw", as_of="2019-01-15")


def of(dna: str, protocol: str = "http") -> Finding:
    wall = WALL if protocol == "http" else load_wall("gfw", as_of="2024-03-01")
    found = go_through(trials_of(dna, wall, protocol))
    assert found is not None
    return found


def account(found: Finding, width: int | None = None) -> str:
    return "\n".join(plain(line) for line in finding_lines(found, {"strategy": "x"}, known_sources("gfw"), width))


def test_an_account_has_rate_coins_reason_rules_sources_and_two_ladders() -> None:
    text = account(of("rst-ttl-late"))
    for part in (
        "rate        90 %, exactly", "decided by  90 % = the tear-down coin of http-keyword (tear-down-open, 89 %), unless http-keyword misses (3 %)",
        "endings     answered 90 % and reset 10 %", "the boxes act on 97 %", "why         tear-down: http-keyword took a packet for the end",
        "RST -- open: client R (seq-expected) -> off, tear-down-open falls so in 89 %", "assumed: the direction is documented",
        "Geneva: Evolving Censorship Evasion Strategies", "a success, 61 % of all trials go just so", "a failure, 7 % of all trials go just so",
    ):  # fmt: skip
        assert part in text


def test_no_line_is_wider_than_the_terminal() -> None:
    for width in (60, 100):
        assert all(len(line) <= width for line in account(of("rst-ttl-late"), width).splitlines())


def test_what_never_did_anything_tests_nothing() -> None:
    idle = of("[TCP:flags:U]-drop-|")
    assert f"idle        {IDLE}" in account(idle)
    assert strategy_report(idle, "x", None, "sim").note == IDLE
    assert "why         what gets through is what the boxes miss" in account(idle)


def test_a_rewritten_stream_is_told_apart_from_a_lost_place() -> None:
    record, offset = of("tls-record-split", "https"), of("offset-ttl")
    assert record.success is not None
    assert offset.success is not None
    assert "read the request as it was rewritten" in why_words(record, record.success)
    assert "lost the place" in why_words(offset, offset.success)
    assert "no trial failed, so there is one ladder only" in account(record)


def test_a_strategy_that_never_works_has_a_failure_only() -> None:
    text = account(of("[TCP:flags:S]-drop-|"))
    assert "why         no trial succeeded" in text
    assert "no trial succeeded, so there is one ladder only" in text


def test_the_record_of_a_test() -> None:
    found = of("rst-ttl-late")
    report = strategy_report(found, "rst-ttl-late", named("rst-ttl-late"), "sim")
    assert (report.strategy, report.name, report.side, report.protocol, report.ground) == ("rst-ttl-late", "rst-ttl-late", "client", "http", "sim")
    assert (report.family, report.without, report.rate.exact, report.note) == ("tear-down", 0.97, True, None)
    assert report.dna.startswith("[TCP:flags:A]-duplicate(")
    assert found.success is not None
    assert [(rule.do, rule.packet, rule.model) for rule in rules_of(found.success)] == [
        ("track", "SYN", "gfw-http-2019"), ("complete", "ACK", "gfw-http-2019"), ("off", "RST", "gfw-http-2019"),
    ]  # fmt: skip
    assert report.rules[-1].coin == "tear-down-open"
