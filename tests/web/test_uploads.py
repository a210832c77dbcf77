"""Bodies of forms: bounded in every direction, and what is wrong with one is a sentence."""

import pytest

from crenel.web import uploads
from crenel.web.shelf import LARGEST_UPLOAD
from tests.web.made import page
from tests.web.test_routes import problem


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        (b"x", "text/plain", "what was sent is no form"),
        (b"x", "", "what was sent is no form"),
        (b"x", "multipart/form-data", "what was sent cannot be read"),
        (b"nonsense", "multipart/form-data; boundary=a", "cannot be read|"),
        (b"target=" + b"x" * (1 << 20), "application/x-www-form-urlencoded", "what was sent is too long"),
    ],
)
def test_what_is_no_form(content: bytes, kind: str, sentence: str) -> None:
    with page() as (client, _):
        answer = client.post("/", content=content, headers={"content-type": kind})
    assert answer.status_code == 200
    assert any(part in problem(answer.text) for part in sentence.split("|"))


def test_a_field_that_is_too_long() -> None:
    with page() as (client, _):
        answer = client.post("/", data={"target": "x" * (300 << 10)}, files={"capture": ("", b"")})
    assert "what was sent cannot be read" in problem(answer.text)


def test_too_many_fields_and_files() -> None:
    with page() as (client, shelf):
        many = client.post("/", data={f"f{number}": "x" for number in range(100)}, files={"capture": ("", b"")})
        assert "what was sent cannot be read: Too many fields" in problem(many.text)
        two = client.post("/", files=[("capture", ("a", b"a")), ("capture", ("b", b"b"))])
        assert "what was sent cannot be read: Too many files" in problem(two.text)
        assert not [*shelf.folder.iterdir()]


def body(size: int) -> bytes:
    head = b'--b\r\nContent-Disposition: form-data; name="capture"; filename="x.pcap"\r\n\r\n'
    tail = b'\r\n--b\r\nContent-Disposition: form-data; name="target"\r\n\r\ntyped.example\r\n--b--\r\n'
    return head + bytes(size) + tail


def test_a_file_that_is_too_large_is_read_past_and_the_fields_are_kept() -> None:
    with page() as (client, shelf):
        answer = client.post("/", content=body(LARGEST_UPLOAD + 1), headers={"content-type": "multipart/form-data; boundary=b"})
        assert not [*shelf.folder.iterdir()]
    assert f"the file has more than {LARGEST_UPLOAD >> 20} MB" in problem(answer.text)
    assert 'value="typed.example"' in answer.text


def test_what_is_longer_than_anybody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_MOST_READ", 1 << 20)
    with page() as (client, _):
        answer = client.post("/", content=body(2 << 20), headers={"content-type": "multipart/form-data; boundary=b"})
    assert "this page takes 32 MB" in problem(answer.text)
