"""What clients say in, the protocol, the names in their order and what they were compared with out."""

from pathlib import Path

import pytest

from crenel.atlas.compile import load_wall
from crenel.net.replay.notes import is_reserved, shown_name
from crenel.wire.dns_build import build_query, frame_tcp
from crenel.wire.packet import Packet, udp_packet
from crenel.wire.quic_build import build_crypto_frame, build_initial
from crenel.wire.tls_build import HelloShape, build_client_hello, build_hello_message
from tests.net.made import HEAD, box
from tests.net.replay.traffic import CLIENT, CONTAINERS, SERVER, Sent, Talk, check, query

pytestmark = pytest.mark.parametrize("container", CONTAINERS)

RANDOM = bytes(range(32))


def said(folder: Path, container: str, *payloads: bytes, dport: int = 80) -> tuple[str, str | None, tuple[str, ...]]:
    """Return protocol, name and names of a connection whose client sends these segments."""
    talk = Talk(dport=dport)
    (flow,) = check(folder, [*talk.shake(), *(talk.say(payload) for payload in payloads)], container)
    return flow.protocol, flow.name, flow.names


def request(host: str, path: str = "/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


def test_requests_of_a_connection_that_stays_open(tmp_path: Path, container: str) -> None:
    one, two, three = (request(f"{name}.example") for name in ("a", "b", "c"))
    assert said(tmp_path, container, one, two, three) == ("http", "a.example", ("a.example", "b.example", "c.example"))
    assert said(tmp_path, container, one, two, one) == ("http", "a.example", ("a.example", "b.example"))
    assert said(tmp_path, container, one + two) == ("http", "a.example", ("a.example", "b.example"))
    assert said(tmp_path, container, one, two[:20], two[20:]) == ("http", "a.example", ("a.example", "b.example"))
    assert said(tmp_path, container, request("x.example", "http://y.example/"))[2] == ("y.example", "x.example")


def test_what_follows_a_request_but_begins_none_gives_no_name(tmp_path: Path, container: str) -> None:
    body = b"name=value&host: b.example\r\n"
    assert said(tmp_path, container, request("a.example"), body) == ("http", "a.example", ("a.example",))


def test_names_are_shown_in_lower_case_without_port_and_last_dot(tmp_path: Path, container: str) -> None:
    assert said(tmp_path, container, request("WWW.Example:8080"))[2] == ("www.example",)
    assert said(tmp_path, container, request("a.example."))[2] == ("a.example",)
    talk = Talk()
    (flow,) = check(tmp_path, [talk.syn(), talk.say(b"GET / HTTP/1.1\r\nHost: b\xffd.example\r\n\r\n")], container)
    assert flow.name == "b\\xffd.example"


@pytest.mark.parametrize("shape", HelloShape)
@pytest.mark.parametrize("dport", [443, 80, 12345])
def test_a_hello_names_its_server_on_any_port(tmp_path: Path, container: str, shape: HelloShape, dport: int) -> None:
    hello = build_client_hello(b"a.example", random=RANDOM, shape=shape)
    known = ("tls", "a.example", ("a.example",))
    assert said(tmp_path, container, hello, dport=dport) == known
    assert said(tmp_path, container, hello[:1], hello[1:60], hello[60:], b"\x17\x03\x03\x00\x01x", dport=dport) == known
    assert said(tmp_path, container, hello, build_client_hello(b"b.example", random=RANDOM), dport=dport) == known


def test_a_hello_without_a_name(tmp_path: Path, container: str) -> None:
    assert said(tmp_path, container, build_client_hello(None, random=RANDOM)) == ("tls", None, ())


def test_queries_over_tcp(tmp_path: Path, container: str) -> None:
    one, two = (frame_tcp(build_query(name)) for name in (b"a.example", b"b.example"))
    assert said(tmp_path, container, one, dport=53) == ("dns", "a.example", ("a.example",))
    assert said(tmp_path, container, one + two, dport=53) == ("dns", "a.example", ("a.example", "b.example"))
    assert said(tmp_path, container, one[:2], one[2:], dport=53) == ("dns", "a.example", ("a.example",))


def test_queries_over_udp(tmp_path: Path, container: str) -> None:
    packets: list[Sent] = [query(b"a.example"), query(b"B.example"), query(b"a.example")]
    (flow,) = check(tmp_path, packets, container)
    assert (flow.protocol, flow.name, flow.names, flow.packets) == ("dns", "a.example", ("a.example", "b.example"), 3)


def initials(name: bytes) -> list[bytes]:
    """Return the two datagrams of a hello that does not fit into one."""
    hello = build_hello_message(name, random=RANDOM, shape=HelloShape.BROWSER, name_at=99)
    parts = (build_crypto_frame(0, hello[:1000]), build_crypto_frame(1000, hello[1000:]))
    return [build_initial([frame], dcid=bytes(8), packet_number=number) for number, frame in enumerate(parts)]


@pytest.mark.parametrize("turned", [False, True])
def test_a_hello_in_two_datagrams_of_quic(tmp_path: Path, container: str, turned: bool) -> None:
    datagrams = initials(b"a.example")
    packets: list[Sent] = [udp_packet(CLIENT, SERVER, 50000, 443, payload) for payload in (datagrams[::-1] if turned else datagrams)]
    (half,) = check(tmp_path, packets[:1], container)
    assert (half.protocol, half.name) == ("quic", None)
    (whole,) = check(tmp_path, packets, container)
    assert (whole.protocol, whole.name, whole.names, whole.packets) == ("quic", "a.example", ("a.example",), 2)


def test_two_connections_of_quic_do_not_mix(tmp_path: Path, container: str) -> None:
    one, two = initials(b"a.example"), initials(b"b.example")
    packets: list[Sent] = [udp_packet(CLIENT, SERVER, 50000, 443, one[0]), udp_packet(CLIENT, SERVER, 50001, 443, two[1])]
    assert [(flow.protocol, flow.name) for flow in check(tmp_path, packets, container)] == [("quic", None), ("quic", None)]


def test_bytes_that_look_random_are_called_encrypted(tmp_path: Path, container: str) -> None:
    noise = b"\x0f" * 100
    assert said(tmp_path, container, noise)[0] == "encrypted"
    assert said(tmp_path, container, b"\x00" * 100)[0] == "unknown"
    assert said(tmp_path, container)[0] == "unknown"
    for payload, protocol in ((noise, "encrypted"), (bytes(100), "unknown"), (b"", "unknown")):
        (flow,) = check(tmp_path, [udp_packet(CLIENT, SERVER, 50000, 9999, payload)], container)
        assert (flow.protocol, flow.name, flow.names) == (protocol, None, ())


def test_mail_and_files(tmp_path: Path, container: str) -> None:
    def after(greeting: bytes, *commands: bytes, dport: int) -> str:
        talk = Talk(dport=dport)
        packets: list[Packet] = [*talk.shake(), talk.hear(greeting), *(talk.say(command) for command in commands)]
        return check(tmp_path, packets, container).flows[0].protocol

    assert after(b"220 mail ESMTP\r\n", b"EHLO a.example\r\n", dport=25) == "smtp"
    assert after(b"220 (vsFTPd 3.0.3)\r\n", b"USER anonymous\r\n", dport=21) == "ftp"


# What names were compared with.


@pytest.mark.parametrize(
    ("name", "basis"),
    [
        ("shop.net", "example-list"), ("www.google.com", "example-list"), ("testing", "example-list"), ("notexample", "example-list"),
        ("blocked.example", None), ("example", None), ("a.test", None), ("example.com", None), ("www.example.org", None), ("a.invalid", None),
        ("localhost", None), ("printer.local", None), ("example.com.shop.net", "example-list"), ("myexample.com", "example-list"),
    ],
)  # fmt: skip
def test_a_name_that_a_real_list_could_hold_says_that_only_examples_were_asked(tmp_path: Path, container: str, name: str, basis: str | None) -> None:
    assert is_reserved(name) is (basis is None)
    talk = Talk()
    web, dns = check(tmp_path, [*talk.shake(), talk.say(request(name)), query(name.encode())], container)
    assert (web.name, web.basis, dns.name, dns.basis) == (name, basis, name, basis)


def test_where_the_list_is_the_users_or_there_is_no_name_nothing_is_said(tmp_path: Path, container: str) -> None:
    (tmp_path / "made.toml").write_text(HEAD + box("web"))
    (tmp_path / "names.txt").write_text("shop.net\n")
    wall = load_wall(str(tmp_path / "made.toml"), as_of="2020-01-01", lists={"names": str(tmp_path / "names.txt")})
    talk, silent = Talk(), Talk(sport=40001)
    packets: list[Sent] = [*talk.shake(), talk.say(request("shop.net")), *silent.shake()]
    assert [(flow.name, flow.basis) for flow in check(tmp_path, packets, container, wall=wall)] == [("shop.net", None), (None, None)]
    assert [flow.basis for flow in check(tmp_path, packets, container)] == ["example-list", None]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [(b"A.Example.", "a.example"), (b"b\xc3\xbccher.example", "bücher.example"), (b"\xff\x00", "\\xff\x00"), (b"...", ""), (b"", "")],
)
def test_any_name_can_be_shown(container: str, raw: bytes, shown: str) -> None:
    assert shown_name(raw) == shown


def test_a_long_stream_is_not_read_for_ever(tmp_path: Path, container: str) -> None:
    start = b"GET / HTTP/1.1\r\n" + b"X-A: " + b"a" * 1400
    talk = Talk()
    packets: list[Sent] = [*talk.shake(), talk.say(start), *(talk.say(b"a" * 1400) for _ in range(60)), talk.say(b"\r\nHost: a.example\r\n\r\n")]
    (flow,) = check(tmp_path, packets, container)
    assert (flow.packets, flow.name) == (65, None)
