"""Bytes in, packets and messages out, and back; nothing here opens a file or reads a clock."""
