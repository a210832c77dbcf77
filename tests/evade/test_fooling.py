"""What keeps a server from taking an invented packet: each word changes one thing, and a real stack does refuse it."""

import pytest

from crenel.evade.fooling import FOOLINGS
from crenel.wire.packet import ACK, PSH
from crenel.wire.verify import ChecksumState, checksum_state
from tests.evade.acting import DATA_SEGMENT, HELLO, QUERY, STAMP, act, sent
from tests.evade.ends import Ends


@pytest.mark.parametrize(
    ("word", "attribute", "value"),
    [
        ("ttl=3", "ttl", 3), ("badseq", "seq", 1001 - 10000 & 0xFFFFFFFF), ("badseq=+5", "seq", 1006), ("badack", "ack", 5001 - 66000 & 0xFFFFFFFF),
        ("noack", "flags", PSH), ("ts=-1", "options", STAMP[:4] + b"\x00\x01\x02\x02" + STAMP[8:]), ("ttl=999", "ttl", 255),
    ],
)  # fmt: skip
def test_a_word_changes_one_field(word: str, attribute: str, value: object) -> None:
    fake, _ = act(f"[TCP:flags:PA]-fake{{zeros=4:{word}}}-|", DATA_SEGMENT)
    assert getattr(fake, attribute) == value
    assert checksum_state(fake) is ChecksumState.VALID


def test_a_signature_needs_a_key() -> None:
    fake, _ = act("[TCP:flags:PA]-fake{zeros=4:md5}-|", DATA_SEGMENT)
    assert fake.options[12:14] == b"\x13\x12"
    assert len(fake.options) == 32
    crowded, _ = act("[TCP:flags:PA]-fake{zeros=4:md5}-|", sent(PSH | ACK, b"x", options=b"\x01" * 32))
    assert crowded.options == b"\x01" * 32


def test_a_checksum_is_wrong_whatever_else_is_done() -> None:
    for words in ("badsum+md5", "ttl=4+badsum", "badsum"):
        fake, _ = act(f"[TCP:flags:PA]-fake{{zeros=4:{words}}}-|", DATA_SEGMENT)
        assert checksum_state(fake) is ChecksumState.WRONG
    fake, _ = act("[UDP:dport:53]-fake{zeros=4:badsum+badseq+badack+noack+ts+md5+ttl=9}-|", QUERY)
    assert checksum_state(fake) is ChecksumState.WRONG
    assert (fake.seq, fake.ack, fake.flags, fake.options, fake.ttl) == (0, 0, 0, b"", 9)


def test_without_a_timestamp_there_is_none_to_age() -> None:
    fake, _ = act("[TCP:flags:PA]-fake{zeros=4:ts}-|", sent(PSH | ACK, b"x", options=b""))
    assert fake.options == b""


@pytest.mark.parametrize("word", sorted(set(FOOLINGS) - {"ttl"}))
def test_a_real_stack_refuses_the_packet(word: str) -> None:
    assert Ends(f"[TCP:flags:PA]-fake{{random:{word}}}-|", [HELLO, b"more"]).run().heard == HELLO + b"more"


def test_it_takes_one_with_nothing_wrong() -> None:
    assert Ends("[TCP:flags:PA]-fake{random}-|", [HELLO]).run().heard != HELLO
