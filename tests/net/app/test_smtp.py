"""Commands in, the replies of an SMTP server and what a client makes of them out."""

import smtplib
import socket
import threading

import msgspec
import pytest

from crenel.errors import UsageError
from crenel.net.app.smtp import Smtp
from crenel.net.app.speaker import Heard
from crenel.wire.smtp import looks_like_commands, looks_like_greeting, mail_address, read_commands
from tests.net.app.pairing import converse, finding

APP = Smtp(sender="a@here.example", recipient="b@there.example")
EAGER = Smtp(sender="a@here.example", recipient="b@there.example", client_first=True)
ENVELOPE = b"EHLO x\r\nMAIL FROM:<a@here.example>\r\nRCPT TO:<b@there.example>\r\n"


def replies(said: bytes, app: Smtp = APP, size: int = 1 << 20) -> list[int]:
    server = app.server()
    parts = [*server.begin()]
    for start in range(0, len(said), size):
        parts += server.take(said[start : start + size])
    assert all(part.endswith(b"\r\n") for part in parts)
    return [int(part[:3]) for part in parts]


def ladder(app: Smtp) -> list[tuple[bytes, bytes]]:
    """Return what is said until the end: the words of the client up to the first space, and what it awaits or the first code."""
    server, client = app.server(), app.client()
    reply, steps = [*server.begin()], []
    said = client.begin()
    if not said:
        said = client.take(b"".join(reply))
    while said:
        waits = client.awaits.encode()
        reply = [*server.take(b"".join(said))]
        steps.append((waits, b"+".join(part[:3] for part in reply)))
        said = client.take(b"".join(reply))
    assert finding(client).intact
    assert server.done
    return steps


def test_it_hands_over_a_message_and_leaves() -> None:
    assert finding(converse(APP)) == finding(converse(EAGER)) == Heard("the message was taken", True)
    rest = [
        (b"the answer to MAIL FROM", b"250"),
        (b"the answer to RCPT TO", b"250"),
        (b"the answer to DATA", b"354"),
        (b"the answer to the message", b"250"),
        (b"the answer to QUIT", b"221"),
    ]
    assert ladder(APP) == [(b"the answer to EHLO", b"250"), *rest]
    assert ladder(EAGER) == [(b"the answer to EHLO", b"220+250"), *rest]


def test_who_speaks_first_can_be_chosen() -> None:
    assert (len(APP.server().begin()), len(APP.client().begin()), APP.client().awaits) == (1, 0, "the greeting")
    assert (len(EAGER.server().begin()), len(EAGER.client().begin()), EAGER.client().awaits) == (0, 1, "the answer to EHLO")


def test_readers_of_the_protocol_read_it() -> None:
    stream = b"".join(APP.commands())
    commands = read_commands(stream).commands
    assert looks_like_commands(stream)
    assert looks_like_greeting(APP.server().begin()[0])
    assert [each.name for each in commands] == [b"EHLO", b"MAIL", b"RCPT", b"DATA", b"QUIT"]
    assert [address.value for each in commands if (address := mail_address(each))] == [b"a@here.example", b"b@there.example"]


def test_a_real_client_delivers_to_it() -> None:
    near, far = socket.socketpair()

    def serve() -> None:
        server = APP.server()
        far.sendall(b"".join(server.begin()))
        while not server.done and (data := far.recv(4096)):
            far.sendall(b"".join(server.take(data)))
        far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with smtplib.SMTP() as client:
        client.sock, client.file = near, None
        assert client.getreply()[0] == 220
        assert client.sendmail("a@here.example", "b@there.example", "Subject: x\r\n\r\n.one dot\r\n") == {}
        assert client.quit()[0] == 221
    thread.join(5)
    near.close()


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (ENVELOPE + b"DATA\r\nhi\r\n.\r\nMAIL FROM:<c@here.example>\r\nQUIT\r\n", [250, 250, 250, 354, 250, 250, 221]),
        (ENVELOPE.lower() + b"data\n.\n", [250, 250, 250, 354, 250]),
        (ENVELOPE + b"DATA\r\nQUIT\r\n..\r\n.x\r\n", [250, 250, 250, 354]),
        (b"EHLO x\r\nMAIL FROM:<a@here.example>\r\nRCPT TO:<other@there.example>\r\nDATA\r\n", [250, 250, 550, 503]),
        (b"MAIL FROM:<a@here.example>\r\nEHLO x\r\nRCPT TO:<b@there.example>\r\nDATA\r\n", [503, 250, 503, 503]),
        (ENVELOPE + b"EHLO x\r\nDATA\r\n", [250, 250, 250, 250, 503]),
        (b"GET / HTTP/1.1\r\n\r\nSTARTTLS\r\n", [500, 500, 500]),
        (b"QUIT\r\nEHLO x\r\n", [221]),
    ],
)
def test_the_server_answers_line_by_line(said: bytes, codes: list[int]) -> None:
    assert replies(said) == replies(said, size=1) == [220, *codes]
    assert replies(said, EAGER) == [220, *codes]


def test_a_sender_notices_that_another_message_arrived() -> None:
    client, server = APP.client(), APP.server()
    said, reply = client.begin(), server.begin()
    while reply:
        said = client.take(b"".join(reply))
        reply = server.take(b"".join(said).replace(b"little", b"nothing"))
    assert finding(client).intact is False
    assert finding(client).says.startswith("another reply: 250 2.0.0 Taken as ")


@pytest.mark.parametrize("heard", [b"554 No\r\n", b"220 mail.example ESMTP ready\r\n550 No\r\n", b"220 mail.example ESMTP reads\r\n"])
@pytest.mark.parametrize("app", [APP, EAGER])
def test_another_reply_is_another_answer(app: Smtp, heard: bytes) -> None:
    client = app.client()
    client.take(heard)
    assert [found.intact for found in client.heard] == [False]
    assert client.heard[0].says.startswith("another reply: ")


@pytest.mark.parametrize("wrong", ["", "a b@c", "a>", "<a", "a\r\nQUIT", "a\t"])
@pytest.mark.parametrize("field", ["sender", "recipient"])
def test_what_is_no_address_is_refused(field: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=f"the {field} "):
        msgspec.structs.replace(APP, **{field: wrong})
