"""Real FTP clients in, files out: passive and active, both ways of saying where, uploads, and no calls to third parties."""

import ftplib
import io
import socket

import pytest

from crenel.net.lab.internet.files import MOST, sized, zeros
from crenel.net.lab.internet.internet import Internet
from tests.net.lab.internet.nearby import ADDRESS


def client(near: Internet) -> ftplib.FTP:
    ftp = ftplib.FTP(timeout=10)  # noqa: S321  it goes no farther than this machine
    ftp.connect(ADDRESS, near.ports["ftp"])
    ftp.login()
    return ftp


def fetch(ftp: ftplib.FTP, path: str) -> bytes:
    parts: list[bytes] = []
    ftp.retrbinary(f"RETR {path}", parts.append)
    return b"".join(parts)


@pytest.mark.parametrize("passive", [True, False])
def test_files_are_fetched_stored_and_listed(near: Internet, *, passive: bool) -> None:
    with client(near) as ftp:
        ftp.set_pasv(passive)
        assert fetch(ftp, "a/b.txt") == b"This is a/b.txt in a lab.\r\n"
        assert fetch(ftp, "/bytes/100000") == bytes(100_000)
        assert ftp.storbinary("STOR up", io.BytesIO(bytes(200_000))).startswith("226")
        assert ftp.nlst()
        ftp.cwd("bytes")
        assert ftp.pwd() == "/bytes"
        assert ftp.size("17") == 17
        assert fetch(ftp, "17") == bytes(17)


def test_the_extended_passive_mode_is_spoken(near: Internet) -> None:
    with client(near) as ftp:
        port = int(ftp.sendcmd("EPSV").rpartition("(|||")[2].removesuffix("|)"))
        with socket.create_connection((ADDRESS, port), timeout=10) as data:
            assert ftp.sendcmd("RETR /bytes/5").startswith("150")
            assert data.recv(100) == bytes(5)
        assert ftp.voidresp().startswith("226")


def test_nobody_else_is_called(near: Internet) -> None:
    with client(near) as ftp:
        for command in ("PORT 127,0,0,2,4,4", "PORT 1,2", "PORT 127,0,0,1,0,0", "EPRT |1|203.0.113.9|80|", "EPRT |", "PORT 127,0,0,1,0,٣"):
            with pytest.raises(ftplib.error_perm):
                ftp.sendcmd(command)
        with pytest.raises(ftplib.error_temp, match="425 Use"):
            ftp.sendcmd("RETR x")
        with pytest.raises(ftplib.error_perm, match="500 Unknown"):
            ftp.sendcmd("NONSENSE")
        assert ftp.sendcmd("FEAT").startswith("211")


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/bytes/0", 0), ("bytes/12", 12), ("a/bytes/3", 3), ("bytes/", None), ("bytes/-1", None), ("x/3", None), ("3", None),
        (f"bytes/{MOST + 1}", None),
    ],
)
def test_a_path_may_name_its_size(path: str, size: int | None) -> None:
    assert sized(path) == size


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 200_000])
def test_so_many_bytes_are_so_many(size: int) -> None:
    assert b"".join(zeros(size)) == bytes(size)
