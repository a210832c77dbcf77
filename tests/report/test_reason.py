"""Which box, which bytes, who measured it: in full for the first box that read them, in short for the others."""

from pathlib import Path

from crenel.net.sim.tries import payload_target
from crenel.report.reason import Reason, client_bytes, reason_lines, remembered_until
from tests.net.made import box, wall_with
from tests.report.tried import NOISE, carried, desk, exchange_of, texts, wall_of


def reasons(target: str, width: int | None = 80) -> list[str]:
    return texts(reason_lines(Reason(exchange_of(target, wall_of()), desk(width).sources, width)))


def test_the_first_box_in_full_the_others_in_short() -> None:
    lines = reasons("https://blocked.example/")
    heads = [number for number, line in enumerate(lines) if line.startswith("tls-sni-")]
    assert [lines[number].partition(" ")[0] for number in heads] == ["tls-sni-single", "tls-sni-triple", "tls-sni-late"]
    first, second = lines[heads[0] : heads[1]], lines[heads[1] : heads[2]]
    assert [line[:10].strip() for line in first if line[:1].isalpha()] == [
        "tls-sni-si", "chance", "read", "rule", "remembers", "in force", "sources", "assumed"
    ]  # fmt: skip
    assert second[1].startswith("the same    acts on 88 % of connections; this draw: acted; blocked.example")
    assert lines[heads[2] + 1].startswith("the same    acts on 4 % of connections; this draw: did not act;")


def test_the_bytes_are_marked_where_the_box_read_them() -> None:
    text = "\n".join(reasons("https://blocked.example/"))
    assert "[62 6c 6f 63 6b" in text
    assert "65 64 2e 65 78 61 6d 70 6c 65]" in text


def test_the_bytes_of_each_transport() -> None:
    for target, value in (
        ("https://blocked.example/", b"blocked.example"),
        ("blocked.example", b"\x07blocked\x07example\x00"),
        ("http://blocked.example/", b"blocked.example"),
    ):
        exchange = exchange_of(target, wall_of())
        evidence = exchange.evidence[0]
        assert client_bytes(exchange, evidence)[evidence.offset : evidence.offset + evidence.length] == value


def test_the_bytes_of_an_initial_are_shown_in_the_clear() -> None:
    exchange = exchange_of("quic://blocked.example/", wall_of())
    evidence = exchange.evidence[0]
    assert client_bytes(exchange, evidence)[evidence.offset : evidence.offset + evidence.length] == b"blocked.example"


def test_noise_is_shown_by_its_bytes_and_not_by_its_value() -> None:
    lines = texts(reason_lines(Reason(exchange_of(payload_target(NOISE, "tcp", 8388), wall_of("2022-06-01")), desk(80).sources, 80)))
    assert "read        first payload: 200 bytes at byte 0 of what the client sent" in lines
    assert max(map(len, lines)) <= 80


def test_what_is_assumed_is_named_with_the_way_to_the_reasons() -> None:
    text = " ".join(line.strip() for line in reasons("blocked.example"))
    assert "assumed     for lack of a measurement, reaction.answer.ip_id" in text
    assert "why: crenel walls show gfw --as-of 2025-01-15 --box dns-1" in text


def test_memory_says_that_it_read_nothing_and_is_not_told_twice() -> None:
    first, second = carried(wall_of(), "https://blocked.example/", "https://allowed.example/")
    assert set(remembered_until(first.exchange)) == {"tls-sni-single", "tls-sni-triple"}
    assert remembered_until(second.exchange) == {}
    lines = texts(reason_lines(Reason(second.exchange, desk(None).sources, None)))
    assert "chance      enforces what it remembers on 100 % of connections; this draw: acted" in lines
    assert any(line.startswith("read        nothing: it remembers an exchange before this one (after 1 trigger(s)") for line in lines)
    known = frozenset({"tls-sni-single", "tls-sni-triple"})
    again = texts(reason_lines(Reason(second.exchange, desk(None).sources, None, known)))
    assert not [line for line in again if line.startswith(("sources", "assumed", "in force"))]


def test_a_box_that_remembered_and_did_not_act_is_told_of() -> None:
    for seed in range(40):
        _, second = carried(wall_of(seed=seed), "http://blocked.example/", "http://allowed.example/")
        if second.exchange.middlebox is None and second.exchange.evidence:
            lines = texts(reason_lines(Reason(second.exchange, desk(None).sources, None)))
            assert any(line.endswith("this draw: did not act") and "enforces what it remembers on 50 %" in line for line in lines)
            return
    raise AssertionError("no seed of forty let such a connection through")


def test_headers_have_no_bytes(tmp_path: Path) -> None:
    port = box("a", trigger='reads = "tcp.port", ports = [443], packets = ["syn"]', chance='p = 1.0, per = "flow"', tcb=None, more="")
    wall = wall_with(tmp_path, port)
    lines = texts(reason_lines(Reason(exchange_of("https://allowed.example/", wall), desk(80).sources, 80)))
    assert any(line.startswith("read        port") and line.endswith("in the headers of a packet") for line in lines)
