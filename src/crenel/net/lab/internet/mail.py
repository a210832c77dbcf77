"""An SMTP client's commands in, replies out: a server that takes mail for everybody, with TLS if asked, and keeps none (RFC 5321)."""

import asyncio
import hashlib
import ssl
from collections.abc import Callable

LONGEST = 4096
"""Bytes of a line; RFC 5321 section 4.5.3.1.6 asks for 1,000 at least."""
MOST = 1 << 24
"""Bytes of a message."""

_GREETING = b"220 mail.example ESMTP ready\r\n"
_PLAIN = {
    b"NOOP": b"250 2.0.0 Ok\r\n",
    b"VRFY": b"252 2.1.5 Send it and see\r\n",
    b"HELP": b"214 2.0.0 RFC 5321\r\n",
}
_BAD_ORDER = b"503 5.5.1 Not yet\r\n"


class Mail:
    """Serves SMTP connections.

    Args:
        encrypting: returns the TLS settings for those who ask for TLS.
    """

    def __init__(self, encrypting: Callable[[], ssl.SSLContext]) -> None:
        self._encrypting = encrypting

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it is gone."""
        writer.write(_GREETING)
        envelope: list[bytes] = []
        while True:
            await writer.drain()
            line = await reader.readline()
            if not line.endswith(b"\n"):
                return
            verb, _, rest = line.strip().partition(b" ")
            verb = verb.upper()
            if verb == b"QUIT":
                writer.write(b"221 2.0.0 Goodbye\r\n")
                return
            if verb == b"STARTTLS" and writer.get_extra_info("ssl_object") is None:
                writer.write(b"220 2.0.0 Go ahead\r\n")
                await writer.start_tls(self._encrypting())
                envelope.clear()
            elif verb == b"DATA" and len(envelope) > 1:
                writer.write(b"354 End with a dot on a line by itself\r\n")
                await writer.drain()
                writer.write(await _take(reader, envelope))
                envelope.clear()
            else:
                writer.write(_reply(verb, rest, envelope, plain=writer.get_extra_info("ssl_object") is None))


def _reply(verb: bytes, rest: bytes, envelope: list[bytes], *, plain: bool) -> bytes:
    if verb in {b"EHLO", b"HELO"}:
        envelope.clear()
        if verb == b"HELO":
            return b"250 mail.example\r\n"
        more = b"250-STARTTLS\r\n" if plain else b""
        return b"250-mail.example greets %b\r\n250-SIZE %d\r\n250-PIPELINING\r\n%b250 8BITMIME\r\n" % (rest[:255], MOST, more)
    if verb == b"RSET":
        envelope.clear()
        return b"250 2.0.0 Ok\r\n"
    if verb == b"MAIL":
        envelope[:] = [rest]
        return b"250 2.1.0 Sender ok\r\n"
    if verb == b"RCPT":
        envelope[len(envelope) :] = [rest] if envelope else []
        return b"250 2.1.5 Recipient ok\r\n" if envelope else _BAD_ORDER
    if verb == b"DATA":
        return _BAD_ORDER
    return _PLAIN.get(verb, b"500 5.5.2 Unknown command\r\n")


async def _take(reader: asyncio.StreamReader, envelope: list[bytes]) -> bytes:
    """Read a message to its end and return the reply, which names it by what is in it."""
    digest, size = hashlib.sha256(b"\n".join(envelope)), 0
    while (line := await reader.readline()).strip(b"\r\n") != b"." and line:
        digest.update(line)
        size += len(line)
    if size > MOST:
        return b"552 5.3.4 Too long\r\n"
    return b"250 2.0.0 Taken as %b, %d bytes\r\n" % (digest.hexdigest()[:12].encode(), size)
