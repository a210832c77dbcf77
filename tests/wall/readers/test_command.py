"""FTP and SMTP commands: which arguments are read, from joined segments and from each alone, and what ends the reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crenel.wall.readers.command import FtpCommand, SmtpAddress
from tests.wall.readers.feeding import feed, values

FTP = FtpCommand(list="words", verbs=("RETR",), first_line_whole=True, longest_line=512)
SMTP = SmtpAddress(list="addresses", verbs=("MAIL FROM", "RCPT TO"), first_line_whole=True, longest_line=512)
SESSION = b"USER anonymous\r\nPASS x@y\r\nTYPE I\r\nRETR UltraSurf.zip\r\nQUIT\r\n"
MAIL = b"EHLO me\r\nMAIL FROM:<Xiazai@upup.info> SIZE=10\r\nrcpt to: <a@b.example>\r\nDATA\r\n"


@given(cuts=st.lists(st.integers(1, 80), max_size=8))
def test_commands_are_read_however_the_stream_is_cut(cuts: list[int]) -> None:
    named = feed(FTP, SESSION, cuts)
    assert named[-1][1].value == b"ultrasurf.zip"
    assert {place for place, _ in named} == {SESSION.index(b"UltraSurf")}
    assert [(place, found.value) for place, found in feed(SMTP, MAIL, cuts)] == [
        (MAIL.index(b"Xiazai"), b"xiazai@upup.info"),
        (MAIL.index(b"a@b"), b"a@b.example"),
    ]


def test_only_the_verbs_of_the_profile() -> None:
    assert values(FTP, SESSION) == [b"ultrasurf.zip"]
    assert values(FtpCommand(list="words", verbs=("USER", "TYPE"), first_line_whole=True, longest_line=512), SESSION) == [b"anonymous", b"i"]
    assert values(SmtpAddress(list="a", verbs=("RCPT TO",), first_line_whole=True, longest_line=512), MAIL) == [b"a@b.example"]
    assert values(FTP, b"RETRX ultrasurf\r\n") == []


def test_an_argument_need_not_end_and_an_address_must() -> None:
    assert values(FTP, b"RETR ultra") == [b"ultra"]
    assert values(SMTP, b"MAIL FROM:<xiazai@upup.info") == []
    assert values(SMTP, b"MAIL FROM:<xiazai@upup.info>") == [b"xiazai@upup.info"]
    assert values(SMTP, b"MAIL FROM: xiazai@upup.info\r\n") == [b"xiazai@upup.info"]
    assert feed(SMTP, b"MAIL  FROM:<a@b>\r\n")[0][1].detail == "address of MAIL  FROM"


@pytest.mark.parametrize(
    "stream", [b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"SSH-2.0-x\r\n", b"\x16\x03\x01", b"USER a\r\n\r\n", b"ab\r\n", b"USER\x00"]
)
def test_a_line_that_is_no_command_ends_the_reading(stream: bytes) -> None:
    assert not FTP.read(stream, (len(stream),), False).more
    assert not FTP.read(stream + b"RETR ultrasurf\r\n", (len(stream) + 16,), False).found


def test_what_stood_before_it_is_still_read() -> None:
    answer = FTP.read(b"RETR ultrasurf\r\nHost: a\r\nRETR other\r\n", (40,), False)
    assert [found.value for found in answer.found] == [b"ultrasurf"]
    assert not answer.more


def test_a_line_that_is_too_long_is_given_up() -> None:
    line = b"USER " + b"x" * 507
    assert FTP.read(line, (len(line),), False).more
    assert not FTP.read(line + b"x", (len(line) + 1,), False).more


def test_a_box_that_does_not_join_segments_judges_each_alone() -> None:
    assert not FTP.read_apart(b"USER anony", first=True).more
    assert FTP.read_apart(b"USER anonymous\r\n", first=True).more
    assert FTP.read_apart(b"anony", first=False).more
    assert [found.value for found in FTP.read_apart(b"RETR ultrasurf\r\n", first=False).found] == [b"ultrasurf"]
    assert [found.value for found in FTP.read_apart(b"surf\r\n", first=False).found] == []
    patient = FtpCommand(list="words", verbs=("RETR",), first_line_whole=False, longest_line=512)
    assert patient.read_apart(b"USER anony", first=True).more
    assert not patient.read_apart(b"\x16\x03\x01", first=True).more
    assert not SMTP.read_apart(b"xiazai@upup.info>\r\n", first=False).found


def test_streams_of_commands_begin_with_a_letter() -> None:
    assert FTP.could_begin(ord("u"))
    assert not FTP.could_begin(ord("2"))
