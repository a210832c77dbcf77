"""Queries in, the answers of a DNS server and what a resolver makes of them out."""

import ipaddress
import struct

import dns.flags
import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.errors import UsageError
from crenel.instant import seconds
from crenel.net.app.dns import Dns, true_addresses
from crenel.net.app.speaker import PATIENCE, Heard
from crenel.wire.dns import AAAA, A
from crenel.wire.dns_build import build_query, build_response, frame_tcp
from tests.net.app.pairing import changed, converse, finding, found_intact, said

APP = Dns(name="www.example.org")
STREAM = Dns(name="www.example.org", transport="tcp")
TRUE = true_addresses(b"www.example.org", A)
FORGED = bytes((198, 51, 100, 7))


def answer(query: bytes) -> dns.message.Message:
    (datagram,) = APP.server().take(query)
    return dns.message.from_wire(datagram)


def heard(datagram: bytes, app: Dns = APP) -> list[Heard]:
    client = app.client()
    assert client.take(datagram) == ()
    return client.heard


def test_every_name_has_one_address_in_a_range_that_is_nobodys() -> None:
    names = [f"{number}.example".encode() for number in range(2000)]
    ranges = {A: ipaddress.ip_network("203.0.113.0/24"), AAAA: ipaddress.ip_network("2001:db8:113::/48")}
    for kind, network in ranges.items():
        found = {ipaddress.ip_address(true_addresses(name, kind)[0]) for name in names}
        assert all(address in network for address in found)
        assert len(found) == (254 if kind == A else 2000)
    assert true_addresses(b"WWW.Example.ORG.", A) == TRUE
    assert true_addresses(b"www.example.org", 16) == ()


def test_the_query_is_a_query() -> None:
    message = dns.message.from_wire(APP.query())
    assert message.question[0].to_text() == "www.example.org. IN A"
    assert message.flags == dns.flags.RD
    assert APP.client().begin() == (APP.query(),) == APP.client().begin()
    assert STREAM.client().begin() == (frame_tcp(APP.query()),)
    assert len({Dns(name=f"{number}.example", kind=kind).query()[:2] for number in range(8) for kind in (A, AAAA)}) == 16


@pytest.mark.parametrize("kind", [A, AAAA])
def test_the_answer_is_the_one_address(kind: int) -> None:
    app = Dns(name="Www.Example.org.", kind=kind)
    (datagram,) = said(app)
    record = dns.message.from_wire(datagram).answer[0]
    (address,) = true_addresses(b"www.example.org", kind)
    assert [item.to_text() for item in record] == [str(ipaddress.ip_address(address))]
    assert finding(converse(app)) == Heard(f"{'A' if kind == A else 'AAAA'} {ipaddress.ip_address(address)}", True)


def test_to_another_type_there_is_no_answer() -> None:
    app = Dns(name="www.example.org", kind=16)
    assert finding(converse(app)) == Heard("NOERROR, no TXT record", True)
    forged = build_response(app.query(), (FORGED,)).replace(b"\xc0\x0c\x00\x01", b"\xc0\x0c\x00\x10")
    assert heard(forged, app) == [Heard("TXT c6336407", False)]


def test_a_type_without_a_name_is_told_by_its_number() -> None:
    assert finding(converse(Dns(name="a.example", kind=1000))).says == "NOERROR, no TYPE1000 record"


def test_it_waits_as_the_stub_resolver_of_libc() -> None:
    assert APP.patience == (seconds(5), seconds(5))
    assert STREAM.patience == PATIENCE
    assert APP.client().awaits == "the answer to its query"


# What a resolver takes.


@pytest.mark.parametrize(
    ("datagram", "found"),
    [
        (build_response(APP.query(), (FORGED,)), "A 198.51.100.7"),
        (build_response(APP.query(), (*TRUE, FORGED)), f"A {ipaddress.ip_address(TRUE[0])}, 198.51.100.7"),
        (build_response(APP.query(), TRUE * 2), f"A {ipaddress.ip_address(TRUE[0])}, {ipaddress.ip_address(TRUE[0])}"),
        (build_response(APP.query(), ()), "NOERROR, no A record"),
        (build_response(APP.query(), (bytes(16),)), "NOERROR, no A record"),
        (build_response(APP.query(), (bytes(16), *TRUE)), f"A {ipaddress.ip_address(TRUE[0])}"),
        (build_response(APP.query(), TRUE).replace(b"\x00\x04" + TRUE[0], b"\x00\x03" + TRUE[0][:3]), f"A {TRUE[0][:3].hex()}"),
        (build_response(APP.query(), (), flags=0x8183), "NXDOMAIN"),
        (build_response(APP.query(), TRUE, flags=0x8182), "SERVFAIL"),
        (build_response(APP.query(), (), flags=0x818F), "RCODE 15"),
        (build_response(APP.query(), TRUE, flags=0x8380), "a truncated answer"),
        (build_response(APP.query(), TRUE)[:-1], "an answer that cannot be read: a DNS record runs past the end of the message"),
        (build_response(APP.query(), TRUE).replace(b"\xc0\x0c", b"\x00", 1), "NOERROR, no A record"),
    ],
)
def test_another_answer_to_its_question_is_taken(datagram: bytes, found: str) -> None:
    assert heard(datagram) == [Heard(found, False)]


def test_an_alias_is_another_answer() -> None:
    alias = b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 300, 3) + b"\x01a\x00"
    address = b"\x01a\x00" + struct.pack(">HHIH", 1, 1, 300, 4) + TRUE[0]
    question = build_response(APP.query(), ())[12:]
    assert heard(APP.query()[:2] + struct.pack(">5H", 0x8180, 1, 2, 0, 0) + question + alias + address) == [
        Heard(f"A {ipaddress.ip_address(TRUE[0])}", False)
    ]


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"garbage that is long enough",
        APP.query(),
        build_response(APP.query(), TRUE)[:11],
        b"\x00\x00" + build_response(APP.query(), (FORGED,))[2:],
        build_response(build_query(b"www.example.com", ident=int.from_bytes(APP.query()[:2], "big")), (FORGED,)),
        build_response(build_query(b"www.example.org", ident=int.from_bytes(APP.query()[:2], "big"), kind=AAAA), (FORGED,)),
        build_response(build_query(b"www.example.org", ident=int.from_bytes(APP.query()[:2], "big"), klass=3), (FORGED,)),
        APP.query()[:2] + struct.pack(">5H", 0x8183, 0, 0, 0, 0),
    ],
)
def test_what_does_not_match_is_passed_over(datagram: bytes) -> None:
    client = APP.client()
    assert client.take(datagram) == ()
    assert (client.heard, client.done) == ([], False)
    client.take(said(APP)[0])
    assert [found.intact for found in client.heard] == [True]


@pytest.mark.parametrize("app", [APP, STREAM])
def test_it_hears_all_answers_in_their_order(app: Dns) -> None:
    forged, true = build_response(APP.query(), (FORGED,)), build_response(APP.query(), TRUE)
    client = app.client()
    for datagram in (forged, true, forged):
        client.take(datagram if app is APP else frame_tcp(datagram))
    assert [found.intact for found in client.heard] == [False, True, False]


def test_one_changed_byte_makes_another_answer_or_none() -> None:
    (datagram,) = said(APP)
    spared = {2, 3, *range(12, 28), *range(39, 43)}  # flags, the case of the name, the TTL: the rest of the file looks at them
    for at in set(range(len(datagram))) - spared:
        for by in (1, 0x20, 0x80, 0xFF):
            assert not found_intact(APP, changed([datagram], at, by)), at
    for at, by in {(2, 0x80), (2, 0x02), (3, 0x01), (3, 0x0F)} | {(at, by) for at in range(12, 28) for by in (1, 0x80, 0xFF)}:
        assert not found_intact(APP, changed([datagram], at, by)), at
    for at, by in {(2, 0x05), (3, 0xF0), (13, 0x20), (42, 0xFF)}:
        assert found_intact(APP, changed([datagram], at, by)), at


# The server.


@pytest.mark.parametrize("size", [1, 2, 3, 31, 1 << 20])
def test_a_stream_is_cut_anywhere(size: int) -> None:
    server = STREAM.server()
    stream = frame_tcp(APP.query()) + frame_tcp(b"") + frame_tcp(build_query(b"a.example", ident=7))
    parts = [part for start in range(0, len(stream), size) for part in server.take(stream[start : start + size])]
    assert parts == [frame_tcp(said(APP)[0]), frame_tcp(build_response(build_query(b"a.example", ident=7), true_addresses(b"a.example", A)))]


@pytest.mark.parametrize(
    ("query", "rcode"),
    [
        (build_query(b"a.example", flags=0), dns.rcode.NOERROR),
        (build_query(b"a.example", klass=3), dns.rcode.REFUSED),
        (build_query(b"a.example", flags=0x2900), dns.rcode.NOTIMP),
        (build_query(b"a.example")[:-1], dns.rcode.FORMERR),
        (build_query(b"a.example")[:4] + b"\x00\x02" + build_query(b"a.example")[6:] + b"\x00\x00\x01\x00\x01", dns.rcode.FORMERR),
        (bytes(12), dns.rcode.FORMERR),
    ],
)
def test_the_server_says_what_is_wrong(query: bytes, rcode: dns.rcode.Rcode) -> None:
    message = answer(query)
    assert message.rcode() == rcode
    assert message.flags & dns.flags.QR
    assert message.id == int.from_bytes(query[:2], "big")
    assert len(message.answer) == (rcode == dns.rcode.NOERROR)


@pytest.mark.parametrize("datagram", [b"", b"x" * 11, said(APP)[0]])
def test_to_what_is_no_query_it_says_nothing(datagram: bytes) -> None:
    assert APP.server().take(datagram) == ()


@given(st.binary(max_size=80))
def test_whatever_it_answers_can_be_read(datagram: bytes) -> None:
    for said_back in APP.server().take(b"\x00\x07\x01\x00\x00\x01" + datagram):
        assert said_back[:2] == b"\x00\x07"
        assert said_back[2] & 0x80


# The app.


@pytest.mark.parametrize("name", ["a..b", "a" * 64 + ".example", ".a", "a\\", ".".join(["a" * 60] * 5)])
def test_a_name_that_cannot_be_asked_for_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="the name"):
        Dns(name=name)


def test_a_type_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="65536 is no query type"):
        Dns(name="a.example", kind=65536)


@pytest.mark.parametrize("name", [".", "", "a.example.", "\\..example", "ä.example"])
def test_any_other_name_is_asked_for(name: str) -> None:
    assert finding(converse(Dns(name=name))).intact
