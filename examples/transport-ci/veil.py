"""Veil, a toy transport: a client with a message in, the same message back from a server out, encrypted with a shared secret on the way.

It is here to be tested, not to be used. Its first packet comes in two shapes:

    bare      nonce and ciphertext from the first byte on: nothing but random-looking bytes
    greeting  the same behind a line of plain text

    python veil.py serve PORT
    python veil.py ask HOST PORT MESSAGE [bare|greeting]
"""

import hashlib
import os
import socket
import sys

SECRET = b"a toy needs no better secret"
GREETING = b"VEIL/1 hello, this is a client that begins politely\r\n"


def seal(message: bytes, nonce: bytes) -> bytes:
    """Encrypt, or decrypt, a message."""
    stream = b"".join(hashlib.sha256(SECRET + nonce + bytes([number])).digest() for number in range(len(message) // 32 + 1))
    return bytes(a ^ b for a, b in zip(message, stream, strict=False))


def first_packet(message: bytes, shape: str) -> bytes:
    """Return what a client says first."""
    nonce = os.urandom(32)
    return (GREETING if shape == "greeting" else b"") + nonce + seal(message.ljust(200), nonce)


def open_packet(packet: bytes) -> bytes:
    """Return the message of a first packet."""
    packet = packet.removeprefix(GREETING)
    return seal(packet[32:], packet[:32]).rstrip()


def serve(port: int) -> None:
    """Answer every client with its own message."""
    with socket.create_server(("", port)) as server:
        while True:
            near, _ = server.accept()
            with near:
                near.sendall(open_packet(near.recv(65536)))


def ask(host: str, port: int, message: bytes, shape: str) -> bytes:
    """Return what the server makes of a message."""
    with socket.create_connection((host, port), timeout=10) as near:
        near.sendall(first_packet(message, shape))
        return near.recv(65536)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    else:
        print(ask(sys.argv[2], int(sys.argv[3]), sys.argv[4].encode(), (sys.argv[5:] or ["greeting"])[0]).decode())
