"""Two ends on a bare path in; how a client's application fares with answers, resets, silence and refusals, and how often it tries, out."""

from collections.abc import Sequence
from typing import Literal

import msgspec
import pytest

from crenel.coins import KeyedCoins
from crenel.instant import Instant, seconds
from crenel.net.app.http import Http
from crenel.net.app.script import Script
from crenel.net.app.speaker import App, Client, Experience, Heard, Speaker
from crenel.net.host.host import Host
from crenel.net.host.options import HostOptions
from crenel.net.path.path import End, Path
from crenel.net.path.route import Link, Route
from crenel.net.sim.ends import ClientEnd, ServerEnd
from crenel.net.sim.network import Network
from crenel.wire.packet import ACK, FIN, PSH, RST, SYN, TCP, Packet, tcp_packet
from tests.net.rewriting import Rewriting

CLIENT, SERVER = bytes((192, 0, 2, 2)), bytes((198, 51, 100, 2))
START = Instant(0)
PATH = Route((Link(1, seconds(0.01)),))


def fare(app: App, *, served: bool = True, drop: str = "") -> tuple[Experience, list[Packet]]:
    """Return how a client fares, and what it sent; packets of the server whose words are in `drop` are lost."""
    path = Path(PATH, KeyedCoins(0), START)
    server = ServerEnd(app, Host(SERVER, HostOptions(), lambda *_: 5000)) if served else Deaf()
    client = ClientEnd(app, Host(CLIENT, HostOptions(), lambda *_: 1000), SERVER, 40_000, START)

    def lose(packet: Packet) -> list[tuple[int, Packet]]:
        return [] if drop and words(packet) in drop.split() else [(0, packet)]

    network = Network(path, client, server, {End.SERVER: Rewriting(lose)})
    network.run(START, Instant(seconds(200)), done=lambda: client.experience)
    network.run(Instant(path.trace[-1].time), Instant(seconds(200)))
    return client.finished(Instant(seconds(200))), [event.packet for event in path.trace if event.what == "sent" and event.sender == "client"]


class Deaf:
    """A server that is not there."""

    def receive(self, now: Instant, packet: Packet) -> None:
        return None

    def packets(self) -> list[Packet]:
        return []

    def next_timer(self) -> Instant | None:
        return None

    def fire(self, now: Instant) -> None:
        return None


def words(packet: Packet) -> str:
    if packet.proto != TCP:
        return "datagram"
    return "data" if packet.payload else {SYN | ACK: "syn-ack", ACK: "ack", FIN | ACK: "fin"}.get(packet.flags, "other")


def test_an_answer_is_had_and_both_sides_close() -> None:
    experience, sent = fare(Http(host="allowed.example"))
    assert (experience.ending, experience.says) == ("answered", "HTTP 200, 96 bytes")
    assert [answer.intact for answer in experience.answers] == [True]
    assert experience.time == seconds(0.04)
    assert [packet.flags for packet in sent if packet.flags & (SYN | FIN)] == [SYN, FIN | ACK]


@pytest.mark.parametrize(
    ("drop", "awaited"), [("syn-ack", "a connection"), ("data", "the answer to its request")], ids=["no handshake", "no answer"]
)
def test_silence_ends_with_the_patience_of_the_client(drop: str, awaited: str) -> None:
    experience, _ = fare(Http(host="allowed.example"), drop=drop)
    assert (experience.ending, experience.time, experience.answers) == ("timed out", seconds(30), ())
    assert experience.says.endswith(awaited)


def test_nobody_there_is_silence_too() -> None:
    assert fare(Http(host="allowed.example"), served=False)[0].ending == "timed out"


def test_a_closed_port_refuses() -> None:
    app = Http(host="allowed.example")
    path = Path(PATH, KeyedCoins(0), START)
    client = ClientEnd(app, Host(CLIENT, HostOptions(), lambda *_: 1000), SERVER, 40_000, START)
    elsewhere = ServerEnd(Http(host="allowed.example", port=8080), Host(SERVER, HostOptions(), lambda *_: 1))
    Network(path, client, elsewhere).run(START, Instant(seconds(9)))
    assert client.finished(Instant(seconds(9))).ending == "refused"


class Closer(msgspec.Struct, frozen=True):
    """A server that closes, or resets where it is told a wrong thing, as soon as it is asked."""

    tries: int = 1
    port: int = 7
    transport: Literal["tcp", "udp"] = "tcp"
    patience: tuple[int, ...] = (seconds(30),)
    answers: tuple[bytes, ...] = ()

    def client(self) -> Client:
        return Asker()

    def server(self) -> Speaker:
        return Answerer(self.answers)


class Asker:
    def __init__(self) -> None:
        self.done = False
        self.heard: list[Heard] = []
        self.awaits = "anything"

    def begin(self) -> Sequence[bytes]:
        return (b"?",)

    def take(self, data: bytes) -> Sequence[bytes]:
        self.heard.append(Heard(data.decode(), data == b"right"))
        return ()


class Answerer:
    def __init__(self, answers: tuple[bytes, ...]) -> None:
        self.done = False
        self._answers = answers

    def begin(self) -> Sequence[bytes]:
        return ()

    def take(self, data: bytes) -> Sequence[bytes]:
        self.done = not self._answers
        return self._answers


def test_a_server_that_hangs_up_is_tried_again_from_the_next_port() -> None:
    once, sent = fare(Closer())
    assert (once.ending, once.says) == ("closed", "its connection was closed while it waited for anything")
    assert {packet.sport for packet in sent} == {40_000}
    thrice, sent = fare(Closer(tries=3))
    assert (thrice.ending, {packet.sport for packet in sent}) == ("closed", {40_000, 40_001, 40_002})


@pytest.mark.parametrize(
    ("answers", "ending", "heard"),
    [
        ((b"right",), "answered", ["right"]), ((b"wrong",), "misled", ["wrong"]), ((b"wrong", b"right"), "misled", ["wrong", "right"]),
        ((b"right", b"wrong"), "answered", ["right", "wrong"]),
    ],
)
def test_the_first_datagram_that_answers_is_believed_and_all_are_told(answers: tuple[bytes, ...], ending: str, heard: list[str]) -> None:
    experience, _ = fare(Closer(transport="udp", answers=answers))
    assert (experience.ending, experience.says, [answer.says for answer in experience.answers]) == (ending, heard[0], heard)


def test_over_udp_what_was_said_is_repeated_while_nobody_answers() -> None:
    waits = (seconds(1), seconds(2), seconds(4))
    experience, sent = fare(Closer(transport="udp", patience=waits), served=False)
    assert (experience.ending, experience.time) == ("timed out", seconds(7))
    assert [packet.payload for packet in sent] == [b"?"] * 3
    assert len(fare(Closer(transport="udp", patience=waits, answers=(b"right",)))[1]) == 1


def test_a_server_serves_whoever_comes_each_by_itself() -> None:
    host = Host(SERVER, HostOptions(), lambda peer, port, own: port)
    server = ServerEnd(Script(messages=(b"ab",), port=7), host)
    for sport, payload in ((1, b"a"), (2, b"ab"), (1, b"b")):
        seq = 100 if payload != b"b" else 101
        if payload != b"b":
            server.receive(START, tcp_packet(CLIENT, SERVER, sport, 7, seq=99, flags=SYN))
            server.receive(START, tcp_packet(CLIENT, SERVER, sport, 7, seq=100, ack=sport + 1))
            server.packets()
        server.receive(START, tcp_packet(CLIENT, SERVER, sport, 7, seq=seq, ack=sport + 1, flags=PSH | ACK, payload=payload))
        said = [packet.payload for packet in server.packets() if packet.payload]
        assert said == ([] if payload == b"a" else [b"as you say\n"])


def test_a_reset_after_the_answer_changes_nothing() -> None:
    app = Http(host="allowed.example")
    host = Host(CLIENT, HostOptions(), lambda *_: 1000)
    client = ClientEnd(app, host, SERVER, 40_000, START)
    client.packets()
    client.receive(START, tcp_packet(SERVER, CLIENT, 80, 40_000, seq=1, ack=1001, flags=SYN | ACK))
    (_, request) = client.packets()
    page = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(app.page()) + app.page()
    client.receive(START, tcp_packet(SERVER, CLIENT, 80, 40_000, seq=2, ack=request.seq + len(request.payload), flags=PSH | ACK, payload=page))
    before = client.finished(START)
    client.receive(START, tcp_packet(SERVER, CLIENT, 80, 40_000, seq=2 + len(page), flags=RST))
    assert client.finished(START) == before
    assert before.ending == "answered"
