"""What every decoder of this layer reads from: bytes that somebody else read, mapped or unpacked, and still owns."""

from mmap import mmap
from typing import TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview | mmap
"""Anything that gives an integer for an index and bytes for a slice, and that `struct` can read from."""
