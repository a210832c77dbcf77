"""The union of all readers is what a profile's `trigger` may be: each kind is told by its tag, and an unknown key is refused."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wall.readers import Reader

WALK = {"title": "one parser", "line_end": "lf", "blanks_before_colon": False, "share": 1.0}
TRIGGERS: list[dict[str, object]] = [
    {"reads": "tls.sni", "list": "names", "records": 1, "needs": "record", "after": "hello"},
    {"reads": "tls.extension", "number": 65486, "records": 1, "needs": "record"},
    {
        "reads": "http.host", "list": "names", "walks": [WALK], "methods": ["GET"], "blanks_after_method": 1, "targets": ["/"], "depth": 16384,
        "drops_port": True,
    },
    {
        "reads": "http.keyword", "list": "words", "walks": [WALK], "methods": ["GET"], "blanks_after_method": 2, "targets": ["/"], "depth": 16384,
        "percent": True,
    },
    {"reads": "dns.qname", "list": "names", "longest_name": 125, "qclass": 0},
    {
        "reads": "quic.sni", "list": "names", "version": 1, "longest_dcid": 20, "packets": 1, "crypto_first": True, "crypto_frames": 1,
        "crypto_header": "fixed", "empty_crypto": "rest",
    },
    {
        "reads": "bytes.random-looking", "bits_low": [17, 5], "bits_high": [23, 5], "printable": [32, 126], "leading": 6, "printable_share": [1, 2],
        "run": 20, "prefix_bytes": ["[16-17] 03 [00-09]"], "prefix_text": ["GET "], "prefix_text_any_case": False, "shortest_recorded": 50,
    },
    {"reads": "ftp.command", "list": "words", "verbs": ["RETR"], "first_line_whole": True},
    {"reads": "smtp.address", "list": "addresses", "verbs": ["MAIL FROM"], "first_line_whole": True},
    {"reads": "ip.address", "list": "addresses", "side": "server", "packets": ["syn"]},
    {"reads": "tcp.port", "ports": [443], "packets": ["syn"]},
]

OPENINGS = (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"RETR ", b"MAIL FROM:", b"\xc3\0\0\0\1", b"\0\x20\0\0\1\0\0\1")


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: str(trigger["reads"]))
def test_a_trigger_is_read_as_it_stands_and_no_other_key(trigger: dict[str, object]) -> None:
    reader = msgspec.convert(trigger, Reader, strict=False)
    assert msgspec.to_builtins(reader)["reads"] == trigger["reads"]
    with pytest.raises(msgspec.ValidationError, match="unknown field `tresholds`"):
        msgspec.convert({**trigger, "tresholds": 1}, Reader)


@pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: str(trigger["reads"]))
def test_a_parameter_without_a_meaning_when_absent_must_be_given(trigger: dict[str, object]) -> None:
    for name in trigger:
        if name != "reads":
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert({key: value for key, value in trigger.items() if key != name}, Reader)


@pytest.mark.parametrize("trigger", TRIGGERS[:9], ids=lambda trigger: str(trigger["reads"]))
@given(data=st.data())
def test_no_reader_raises_and_what_it_names_lies_in_what_it_was_given(trigger: dict[str, object], data: st.DataObject) -> None:
    reader = msgspec.convert(trigger, Reader)
    stream = data.draw(st.sampled_from(OPENINGS)) + data.draw(st.binary(max_size=80))
    answer = reader.read(stream, (len(stream),), data.draw(st.booleans()))
    for found in answer.found:
        assert 0 <= found.offset <= found.offset + found.length <= len(stream)
    assert answer.consumed >= 0
    if stream and answer.more:
        assert reader.could_begin(stream[0])


@pytest.mark.parametrize("trigger", TRIGGERS[:9], ids=lambda trigger: str(trigger["reads"]))
@given(stream=st.binary(min_size=1, max_size=40))
def test_a_stream_that_could_not_begin_so_is_given_up_at_once(trigger: dict[str, object], stream: bytes) -> None:
    reader = msgspec.convert(trigger, Reader)
    if hasattr(reader, "could_begin") and not reader.could_begin(stream[0]):
        assert not reader.read(stream, (len(stream),), False).more
