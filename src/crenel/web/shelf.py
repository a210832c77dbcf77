"""Uploaded captures in, files in a temporary folder out: within bounds, unpacked, the oldest ones let go, all of them gone at the end."""

import re
import secrets
import tempfile
import threading
import zlib
from pathlib import Path
from typing import BinaryIO

import msgspec

from crenel.errors import CaptureError
from crenel.report.text import safe
from crenel.wire.capture import is_gzip

LARGEST_UPLOAD = 32 << 20
"""Bytes of an uploaded file,"""
LARGEST_UNPACKED = 64 << 20
"""and of what it holds where it is packed: a person looks at fewer packets than these hold."""
MOST_HELD = 8
_CHUNK = 1 << 18
_TOKEN = re.compile(r"[0-9a-f]{32}")


class Held(msgspec.Struct, frozen=True):
    """A capture that was brought."""

    token: str
    name: str
    """As its owner calls it; only ever shown."""
    path: str
    size: int
    """Bytes, unpacked."""
    fault: str | None = None
    """What was wrong with its packing."""


class Shelf:
    """A temporary folder for captures, each found again by a token that nobody can guess."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="crenel-web-")
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where the captures lie."""
        return Path(self._folder.name)

    def hold(self, name: str, file: BinaryIO) -> Held:
        """Keep a capture; what is packed is unpacked.

        Args:
            name: what its owner calls it; no part of any path.
            file: its bytes, at most `LARGEST_UPLOAD`, which the caller has seen to.

        Raises:
            CaptureError: it is empty, or unpacks to too much.
        """
        token = secrets.token_hex(16)
        path = self.folder / f"{token}.capture"
        shown = safe(name.replace("\\", "/").rpartition("/")[2] or "capture", 100)
        try:
            with path.open("xb") as out:
                fault = _copy(shown, file, out)
                size = out.tell()
            _refuse_nothing(shown, size, fault)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        held = Held(token, shown, str(path), size, fault)
        with self._lock:
            self._held[token] = held
            oldest = [*self._held][:-MOST_HELD]
            for gone in oldest:
                Path(self._held.pop(gone).path).unlink(missing_ok=True)
        return held

    def find(self, token: str) -> Held:
        """Return a capture that was brought before.

        Raises:
            CaptureError: there is none of that token, or it was let go.
        """
        held = self._held.get(token) if _TOKEN.fullmatch(token) else None
        if held is None:
            message = f"that capture is no longer held here (only the last {MOST_HELD} are): bring it again"
            raise CaptureError(message)
        return held

    def let_go(self, token: str) -> None:
        """Forget a capture."""
        with self._lock:
            held = self._held.pop(token, None)
        if held is not None:
            Path(held.path).unlink(missing_ok=True)

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


def _refuse_nothing(name: str, size: int, fault: str | None) -> None:
    if not size:
        message = f"{name}: the file is empty (0 bytes)" if fault is None else f"{name}: {fault}"
        raise CaptureError(message)


def _copy(name: str, file: BinaryIO, out: BinaryIO) -> str | None:
    """Copy a file, unpacked where it is packed; return what is wrong with its packing."""
    chunk = file.read(_CHUNK)
    if not is_gzip(chunk):
        while chunk:
            out.write(chunk)
            chunk = file.read(_CHUNK)
        return None
    stream = zlib.decompressobj(wbits=31)
    while chunk:
        try:
            out.write(stream.decompress(chunk, _CHUNK))
        except zlib.error as error:
            return f"the gzip data is broken ({error})"
        if out.tell() > LARGEST_UNPACKED:
            message = f"{name}: unpacks to more than {LARGEST_UNPACKED >> 20} MB, which is the most that this page takes"
            raise CaptureError(message)
        if stream.eof:
            chunk = stream.unused_data + (file.read(_CHUNK) if len(stream.unused_data) < _CHUNK else b"")
            if not is_gzip(chunk):
                return None
            stream = zlib.decompressobj(wbits=31)
        else:
            chunk = stream.unconsumed_tail or file.read(_CHUNK)
    return None if stream.eof else "the gzip data is cut"
