"""Bytes in, the same bytes or nothing out: the echo and discard services (RFC 862, RFC 863)."""

import asyncio

_CHUNK = 65536


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say what is heard until there is no more."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()


async def discard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hear all and say nothing."""
    while await reader.read(_CHUNK):
        pass


async def echo_datagram(data: bytes) -> bytes | None:
    """Return what was heard."""
    return data


async def discard_datagram(data: bytes) -> bytes | None:
    """Say nothing."""
    return None
