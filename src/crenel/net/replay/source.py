"""A path or standard input in, the bytes of a capture out: mapped, or unpacked within bounds."""

import io
import mmap
import sys
import zlib
from pathlib import Path

from crenel.errors import CaptureError
from crenel.wire.capture import is_gzip

LARGEST_UNPACKED = 4 << 30
"""A gzip file that unpacks to more is refused: it is more likely a bomb than a capture."""
_CHUNK = 1 << 20

Source = bytes | mmap.mmap


def read_source(path: str) -> tuple[Source, str | None]:
    """Return the bytes of a capture, `-` for standard input, and what was wrong with its packing, if anything.

    Raises:
        CaptureError: no such file, a folder, no permission, or gzip data that is not sound from its first byte or too large.
    """
    try:
        data = sys.stdin.buffer.read() if path == "-" else _mapped(path)
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise CaptureError(message) from error
    return _unpacked(path, data) if is_gzip(data) else (data, None)


def _mapped(path: str) -> Source:
    with Path(path).open("rb") as file:
        try:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (ValueError, OSError):  # an empty file, or one that cannot be mapped such as a pipe
            return file.read()


def _unpacked(path: str, data: Source) -> tuple[bytes, str | None]:
    """Unpack every member of a gzip file; what was unpacked before an error is kept."""
    out = io.BytesIO()
    rest: bytes = data[:]
    fault: str | None = None
    while is_gzip(rest):
        stream = zlib.decompressobj(wbits=31)
        try:
            while rest and not stream.eof:
                out.write(stream.decompress(rest, _CHUNK))
                rest = stream.unconsumed_tail
                if out.tell() > LARGEST_UNPACKED:
                    message = f"{path}: unpacks to more than {LARGEST_UNPACKED >> 30} GiB"
                    raise CaptureError(message)
        except zlib.error as error:
            fault = f"the gzip data is broken ({error})"
            break
        out.write(stream.flush())
        if not stream.eof:
            fault = "the gzip data is cut"
            break
        rest = stream.unused_data
    if out.tell() == 0 and fault is not None:
        message = f"{path}: {fault}"
        raise CaptureError(message)
    return out.getvalue(), fault


def let_go(buffer: object, start: int, end: int) -> None:
    """Tell the system that the bytes of a mapped file between these places will not be read again soon, so memory stays flat."""
    if isinstance(buffer, mmap.mmap) and hasattr(buffer, "madvise"):
        first = start - start % mmap.PAGESIZE
        buffer.madvise(mmap.MADV_DONTNEED, max(first, 0), end - max(first, 0))
