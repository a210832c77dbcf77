"""Datagrams to several addresses in, answers from the same addresses out."""

import asyncio
import socket

from crenel.net.lab.internet.datagrams import Datagrams
from crenel.net.lab.internet.listening import tell_destination


async def _shout(data: bytes) -> bytes | None:
    return data.upper() if data != b"silence" else None


async def _ask(family: socket.AddressFamily, own: str, addresses: list[str]) -> list[tuple[bytes, str]]:
    loop = asyncio.get_running_loop()
    served = socket.socket(family, socket.SOCK_DGRAM)
    served.bind((own, 0))
    served.setblocking(False)
    tell_destination(served)
    server = Datagrams(served, _shout)
    found = []
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.setblocking(False)
        client.bind((own, 0))
        for address in addresses:
            for data in (b"silence", address.encode()):
                await loop.sock_sendto(client, data, (address, served.getsockname()[1]))
            data, sender = await asyncio.wait_for(loop.sock_recvfrom(client, 100), 5)
            found.append((data, sender[0]))
    server.close()
    return found


def test_an_answer_leaves_from_where_the_question_came_to() -> None:
    found = asyncio.run(_ask(socket.AF_INET, "", ["127.0.0.1", "127.9.8.7", "127.0.0.2"]))
    assert found == [(b"127.0.0.1", "127.0.0.1"), (b"127.9.8.7", "127.9.8.7"), (b"127.0.0.2", "127.0.0.2")]


def test_the_same_over_ipv6() -> None:
    assert asyncio.run(_ask(socket.AF_INET6, "::1", ["::1"])) == [(b"::1", "::1")]
