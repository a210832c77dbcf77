"""What stands between braces, read without the tree round it; the columns of errors are tested with the parser."""

import pytest

from crenel.evade.language import Fake, Fooling, Fragment, Payload, Position, Sleep, Split, Tamper, Trace
from crenel.evade.parameters import READERS, Misread


@pytest.mark.parametrize(
    ("name", "given", "action"),
    [
        ("fragment", "udp:8:Truely:0", Fragment("ip", 8, in_order=True)),
        ("fragment", "tcp:-1:false", Fragment("tcp", -1, in_order=False)),
        ("sleep", None, Sleep(1.0)), ("sleep", "x", Sleep(1.0)), ("sleep", "-1", Sleep(-1.0)),
        ("trace", None, Trace(1, 64)), ("trace", "x", Trace(1, 64)), ("trace", "10:2", Trace(10, 2)),
        ("tamper", "TCP:chksum:corrupt:123", Tamper("TCP", "chksum", "corrupt")),
        ("tamper", "TCP:window:replace:1_000", Tamper("TCP", "window", "replace", "1000")),
        ("tamper", "TCP:load:replace:007", Tamper("TCP", "load", "replace", "007")),
        ("tamper", "TCP:options-md5header:replace:0011", Tamper("TCP", "options-md5header", "replace", "0011")),
        ("tamper", "TCP:options-wscale:replace:", Tamper("TCP", "options-wscale", "replace", "")),
        ("tamper", "UDP:dport:compress", Tamper("DNS", "qd", "compress")),
        ("split", "sni-1:5:-5", Split((Position("sni", -1), Position("", 5), Position("", -5)))),
        ("fake", "text=a:ttl=3+badseq=+7", Fake(Payload("text", "a"), (Fooling("ttl", 3), Fooling("badseq", 7)))),
    ],
)  # fmt: skip
def test_parameters_are_read(name: str, given: str | None, action: object) -> None:
    assert READERS[name](given) == action


@pytest.mark.parametrize(
    ("name", "given", "offset"),
    [
        ("drop", "x", 0), ("duplicate", "x", 0), ("tamper", None, 0), ("tamper", "TCP:seq", 7), ("tamper", "TCP:seq:replace", 15),
        ("tamper", "TCP:seq:replace:1:2", 17), ("fragment", "tcp:1", 5), ("fragment", "tcp:1:True:x", 11), ("sleep", "nan", 0),
        ("split", "", 0), ("split", "1:", 2), ("split", "sni:1.5", 4), ("record", None, 0), ("oob", "1:", 2), ("oob", "1:a:b", 3), ("delay", None, 0),
        ("delay", "1e3", 0), ("repeat", "x", 0), ("repeat", "2:x", 2), ("fake", None, 0), ("fake", "http=", 0), ("fake", "http=a..b", 0),
        ("fake", "http:", 5), ("fake", "http:ttl=8+", 11), ("fake", "http:md5=3", 5), ("fake", "http:md5:both:x", 13), ("precede", "text", 0),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_at_its_place(name: str, given: str | None, offset: int) -> None:
    with pytest.raises(Misread) as caught:
        READERS[name](given)
    assert caught.value.offset == offset
    assert caught.value.expected.startswith("expected ")
