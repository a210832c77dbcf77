"""Queries in, answers out, read by another library: addresses, mail, nothing, refusals, sizes."""

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.net.lab.internet.answering import answer
from crenel.net.lab.internet.naming import Names

NAMES = Names(hosts={"many.example": tuple(f"203.0.113.{number}" for number in range(1, 101)), "six.example": ("2001:db8:5e::7",)})


def ask(query: dns.message.Message, *, limited: bool = True) -> dns.message.Message:
    said = answer(query.to_wire(), NAMES, limited=limited)
    assert said is not None
    answered = dns.message.from_wire(said)
    assert query.is_response(answered)
    return answered


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        ("www.example.org", "A", ["10.74.180.58"]),
        ("wWw.eXample.org", "A", ["10.74.180.58"]),
        ("www.example.org", "AAAA", ["2001:db8:5e:e633:8544:80b9:270a:b43a"]),
        ("www.example.org", "MX", ["10 www.example.org."]),
        ("six.example", "A", []),
        ("six.example", "AAAA", ["2001:db8:5e::7"]),
        ("www.example.org", "TXT", []),
        ("www.example.org", "HTTPS", []),
    ],
)
def test_a_name_has_addresses_takes_mail_and_has_nothing_else(name: str, kind: str, records: list[str]) -> None:
    answered = ask(dns.message.make_query(name, kind))
    assert answered.rcode() == dns.rcode.NOERROR
    assert [record.to_text() for rrset in answered.answer for record in rrset] == records
    assert bool(answered.authority) == (not records)
    assert answered.flags & dns.flags.RA
    assert answered.edns == -1


def test_any_gets_both_addresses() -> None:
    answered = ask(dns.message.make_query("www.example.org", "ANY"))
    assert {rrset.rdtype for rrset in answered.answer} == {dns.rdatatype.A, dns.rdatatype.AAAA}


def test_there_is_a_name_that_is_not_there() -> None:
    answered = ask(dns.message.make_query("x.invalid", "A"))
    assert answered.rcode() == dns.rcode.NXDOMAIN
    assert answered.authority[0].rdtype == dns.rdatatype.SOA


def test_who_offers_edns_gets_edns() -> None:
    assert ask(dns.message.make_query("a.example", "A", use_edns=0, payload=4096)).edns == 0


def test_an_answer_is_cut_to_what_the_client_takes() -> None:
    query = dns.message.make_query("many.example", "A")
    assert ask(query).flags & dns.flags.TC
    assert not ask(query).answer
    assert len(ask(query, limited=False).answer[0]) == 100
    assert len(ask(dns.message.make_query("many.example", "A", use_edns=0, payload=4096)).answer[0]) == 100


@pytest.mark.parametrize(("klass", "code"), [("CH", dns.rcode.REFUSED), ("ANY", dns.rcode.NOERROR)])
def test_other_classes_are_refused(klass: str, code: dns.rcode.Rcode) -> None:
    assert ask(dns.message.make_query("version.bind", "TXT", klass)).rcode() == code


def test_what_is_no_plain_query_is_refused_in_words_of_dns() -> None:
    update = dns.message.make_query("a.example", "A")
    update.set_opcode(dns.opcode.STATUS)
    assert ask(update).rcode() == dns.rcode.NOTIMP
    cut = dns.message.make_query("a.example", "A").to_wire()[:-3]
    said = answer(cut, NAMES, limited=True)
    assert said is not None
    assert dns.message.from_wire(said).rcode() == dns.rcode.FORMERR


def test_a_response_and_what_has_no_header_get_no_answer() -> None:
    assert answer(dns.message.make_response(dns.message.make_query("a.example", "A")).to_wire(), NAMES, limited=True) is None
    assert answer(b"\0" * 11, NAMES, limited=True) is None


@given(st.binary(max_size=200))
def test_no_bytes_raise_and_each_answer_can_be_read(query: bytes) -> None:
    said = answer(query, NAMES, limited=True)
    if said is not None:
        assert said[:2] == query[:2]
        assert len(said) <= 512 or b"\x00\x00\x29" in query
