"""A buffer in, the reader for the capture format it holds out; the magic number decides, never a file name."""

from collections.abc import Iterator

from crenel.wire.buffer import Buffer
from crenel.wire.pcap import MAGICS, PcapReader, Record, open_pcap
from crenel.wire.pcapng import PcapngReader, open_pcapng
from crenel.wire.result import Unparseable

GZIP_MAGIC = b"\x1f\x8b"


def is_gzip(buffer: Buffer) -> bool:
    """Say whether the buffer is gzip data, which the caller has to unpack before it opens the capture."""
    return bytes(buffer[:2]) == GZIP_MAGIC


def open_capture(buffer: Buffer) -> PcapReader | PcapngReader | Unparseable:
    """Return a reader for the capture in `buffer`, or why it is none: empty, packed, cut in its file header, something else."""
    if len(buffer) == 0:
        return Unparseable("it is empty (0 bytes)")
    if is_gzip(buffer):
        return Unparseable("it is gzip data that was not unpacked")
    start = bytes(buffer[:4])
    if start == b"\x0a\x0d\x0d\x0a":
        return open_pcapng(buffer)
    if start in MAGICS:
        return open_pcap(buffer)
    return Unparseable(f"it begins with {start.hex(' ')}, which is neither pcap nor pcapng")


def iter_records(buffer: Buffer) -> Iterator[Record] | Unparseable:
    """Return the records of the capture in `buffer`; for the account of damage use `open_capture`."""
    reader = open_capture(buffer)
    return reader if isinstance(reader, Unparseable) else reader.records()
