"""Commands in, the replies of an FTP server and what a client makes of them out."""

import msgspec
import pytest

from crenel.errors import UsageError
from crenel.net.app.ftp import Ftp
from crenel.net.app.speaker import Heard
from crenel.wire.ftp import file_name, looks_like_commands, looks_like_greeting, read_commands, user_name
from tests.net.app.pairing import converse, finding

APP = Ftp(path="/pub/a file.txt")
LOGIN = b"USER anonymous\r\nPASS anonymous@client.example\r\n"


def replies(*lines: bytes) -> list[int]:
    server = APP.server()
    said = [*server.begin(), *(part for line in lines for part in server.take(line))]
    assert all(part.endswith(b"\r\n") for part in said)
    return [int(part[:3]) for part in said]


def test_it_logs_in_asks_and_leaves() -> None:
    assert finding(converse(APP)) == Heard("RETR answered 226", True)
    server, client = APP.server(), APP.client()
    assert (*server.begin(), *client.begin()) == (b"220 FTP server ready\r\n",)
    ladder, reply = [], server.begin()
    while reply:
        command = client.take(b"".join(reply))
        reply = server.take(b"".join(command))
        ladder.append((b"".join(command), b"".join(reply)[:3], client.awaits))
    assert ladder == [
        (b"USER anonymous\r\n", b"331", "the answer to USER"),
        (b"PASS anonymous@client.example\r\n", b"230", "the answer to PASS"),
        (b"TYPE I\r\n", b"200", "the answer to TYPE"),
        (b"RETR /pub/a file.txt\r\n", b"150", "the answer to RETR"),
        (b"QUIT\r\n", b"221", "the answer to QUIT"),
        (b"", b"", "the answer to QUIT"),
    ]
    assert client.done
    assert server.done


def test_the_transfer_has_a_beginning_and_an_end() -> None:
    client = APP.client()
    client.take(b"220 FTP server ready\r\n331 Password, please\r\n230 Logged in\r\n200 Type set to I\r\n150 Opening a data connection\r\n22")
    assert (client.awaits, client.heard) == ("the end of the transfer", [])


def test_readers_of_the_protocol_read_it() -> None:
    stream = b"".join(Ftp(path="größe", user="ich").commands())
    commands = read_commands(stream).commands
    assert looks_like_commands(stream)
    assert looks_like_greeting(APP.server().begin()[0])
    assert [field.value for each in commands if (field := user_name(each) or file_name(each))] == [b"ich", "größe".encode()]


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (LOGIN + b"TYPE I\r\nRETR /pub/a file.txt\r\n", [331, 230, 200, 150, 226]),
        (b"user anonymous\npass anonymous@client.example\nretr /pub/a file.txt\nquit\n", [331, 230, 150, 226, 221]),
        (LOGIN + b"RETR /pub/a\r\n", [331, 230, 550]),
        (LOGIN + b"RETR /pub/a file.txt \r\n", [331, 230, 550]),
        (LOGIN + b"TYPE E\r\n", [331, 230, 504]),
        (LOGIN + b"USER other\r\nRETR /pub/a file.txt\r\n", [331, 230, 331, 530]),
        (b"USER other\r\nPASS anonymous@client.example\r\nTYPE I\r\n", [331, 530, 530]),
        (b"USER anonymous\r\nPASS other\r\n", [331, 530]),
        (b"PASS anonymous@client.example\r\nRETR /pub/a file.txt\r\n", [503, 530]),
        (b"FEAT\r\n\r\nGET / HTTP/1.1\r\n \xff\r\n", [500, 500, 500, 500]),
        (b"QUIT\r\nUSER anonymous\r\n", [221]),
    ],
)
def test_the_server_answers_line_by_line(said: bytes, codes: list[int]) -> None:
    assert replies(said) == [220, *codes]
    assert replies(*(bytes((byte,)) for byte in said)) == [220, *codes]


@pytest.mark.parametrize(
    ("heard", "says"),
    [
        (b"421 Too many users\r\n", "another reply: 421 Too many users"),
        (b"220 FTP server ready\r\n530 No\r\n", "another reply: 530 No"),
        (b"HTTP/1.1 403 Forbidden\r\n", "another reply: HTTP/1.1 403 Forbidden"),
    ],
)
def test_another_reply_is_another_answer(heard: bytes, says: str) -> None:
    client = APP.client()
    client.take(heard)
    assert (client.heard, client.done) == ([Heard(says, False)], True)


@pytest.mark.parametrize("wrong", [{"path": ""}, {"path": "a\r\nDELE b"}, {"path": "a", "user": "x\n"}, {"path": "a", "password": "\0"}])
def test_what_no_command_can_carry_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="no command can carry it"):
        msgspec.structs.replace(APP, **wrong)
