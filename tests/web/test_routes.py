"""Requests: each gets an answer or a sentence, the page keeps what was typed, hostile input is text, and nothing is left lying about."""

import gzip
import html
import re

import pytest

from crenel.web.shelf import LARGEST_UNPACKED, LARGEST_UPLOAD
from tests.web.made import BASE, FIRST_LOOK, page, pcap
from tests.web.test_elements import Reader

HX = {"hx-request": "true", "origin": BASE}
DAY = {"date": "2025-01-15"}
SCRIPT = "https://<script>alert(1)<&\u202e\x00/é"


def problem(text: str) -> str:
    found = re.search(r'<p class="problem"[^>]*>(.*?)</p>', text, re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""


def test_the_first_view_is_an_example() -> None:
    with page() as (client, _):
        answer = client.get("/")
    assert answer.status_code == 200
    assert "https://blocked.example/" in answer.text
    assert problem(answer.text) == ""
    assert 'class="ladder"' in answer.text


def test_a_post_leads_to_an_address_that_asks_the_same() -> None:
    with page() as (client, _):
        answer = client.post("/", data={"target": "blocked.example", **DAY}, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/?target=blocked.example&date=2025-01-15"
        assert "Blocked" in client.get(answer.headers["location"]).text


def test_a_script_gets_the_parts_that_change() -> None:
    with page() as (client, _):
        answer = client.post("/", data={"target": "blocked.example", **DAY}, headers=HX)
    assert "<!doctype" not in answer.text
    assert answer.headers["hx-replace-url"].startswith("/?target=blocked.example")
    assert 'hx-swap-oob="true"' in answer.text


def test_an_example_and_a_date_to_go_to() -> None:
    with page() as (client, _):
        data = {"kind": "hex", "target": "x", "example": "quic://blocked.example/", "go": "2024-05-01"}
        answer = client.post("/", data=data, follow_redirects=False)
    assert answer.headers["location"] == "/?target=quic%3A%2F%2Fblocked.example%2F&date=2024-05-01"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"target": SCRIPT}, "not a host name|not a URL|not known|neither"),
        ({"target": "a" * 65_000}, "is not a host name"),
        ({"target": "x", "date": "1999-01-01"}, "1999-01-01 is too early: the timeline of this page begins in 2002"),
        ({"target": "x", "date": "<b>"}, "'<b>' is not a date"),
        ({"target": "x", "wall": "/etc/passwd"}, "no wall is called '/etc/passwd' here"),
        ({"target": "x", "wall": "../sources.toml"}, "no wall is called"),
        ({"kind": "hex", "hex": "xyz"}, "write pairs of hexadecimal digits"),
        ({"kind": "hex", "hex": "00" * 70_000}, "are more than the 65,536 that this page takes"),
        ({"kind": "capture", "held": "../../etc/passwd"}, "no longer held here"),
        ({"target": "x", "beside": "yes", "date2": "1999-01-01"}, "1999-01-01 is too early"),
    ],
)
@pytest.mark.parametrize("headers", [HX, {}])
def test_what_is_wrong_is_one_sentence_and_what_was_typed_stays(data: dict[str, str], sentence: str, headers: dict[str, str]) -> None:
    with page() as (client, _):
        answer = client.post("/", data=data, headers=headers)
    assert answer.status_code == 200
    assert re.search(sentence, problem(answer.text)), problem(answer.text)
    assert len(problem(answer.text)) < 700
    assert "Traceback" not in answer.text
    read = Reader(answer.text)
    assert all("src" in attributes for tag, attributes in read.tags if tag == "script")
    if not headers and "target" in data and len(data["target"]) < 1000:
        typed = [attributes.get("value") for tag, attributes in read.tags if attributes.get("name") == "target"]
        assert (typed[0] or "").startswith(data["target"][:20])


def test_a_hostile_path_is_text() -> None:
    with page() as (client, _):
        answer = client.get("/", params={"target": "http://x/<script>alert(1)</script>\u202egnp", **DAY})
    assert problem(answer.text) == ""
    read = Reader(answer.text)
    assert all("src" in attributes for tag, attributes in read.tags if tag == "script")
    assert "\\u{202e}gnp" in read.text


def test_a_capture_is_brought_kept_and_asked_again() -> None:
    with page() as (client, shelf):
        files = {"capture": ("mine.pcapng", FIRST_LOOK.read_bytes())}
        answer = client.post("/", data={"kind": "capture", **DAY}, files=files, headers=HX)
        assert "mine.pcapng" in answer.text
        assert 'id="capture-panel"' in answer.text
        token = re.search(r'name="held" value="(\w+)"', answer.text)
        assert token is not None
        assert [path.name for path in shelf.folder.iterdir()] == [f"{token[1]}.capture"]
        again = client.get("/", params={"kind": "capture", "held": token[1], "flow": "3", "date": "2020-01-01"})
        assert "flow 3:" in again.text
        picked = client.post("/", data={"kind": "capture", "held": token[1], "pick": "2"}, follow_redirects=False)
        assert "flow=2" in picked.headers["location"]
        assert str(shelf.folder) not in answer.text + again.text


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("notes.txt", b"not a capture at all", "notes.txt: not a capture"),
        ("x.pcap", b"", "x.pcap: the file is empty"),
        ("<img src=x onerror=alert(1)>.pcap", b"hello hello", "<img src=x onerror=alert(1)>.pcap: not a capture"),
        ("../../x", b"hello hello", "x: not a capture"),
        ("b.gz", gzip.compress(bytes(LARGEST_UNPACKED + (2 << 20)), mtime=0), "b.gz: unpacks to more than 64 MB"),
        ("c.gz", gzip.compress(b"not a capture", mtime=0), "c.gz: not a capture"),
        ("big.pcap", bytes(LARGEST_UPLOAD + (1 << 20)), "the file has more than 32 MB"),
    ],
)
def test_an_upload_that_cannot_be_judged_is_refused_and_not_kept(name: str, content: bytes, sentence: str) -> None:
    with page() as (client, shelf):
        answer = client.post("/", data={"kind": "capture", "target": "typed.example"}, files={"capture": (name, content)})
        assert not [*shelf.folder.iterdir()]
        assert str(shelf.folder) not in answer.text
    assert sentence in problem(answer.text)
    assert "img" not in {tag for tag, _ in Reader(answer.text).tags}
    assert 'value="typed.example"' in answer.text


def test_a_capture_without_a_flow() -> None:
    with page() as (client, _):
        answer = client.post("/", data={"kind": "capture"}, files={"capture": ("e.pcap", pcap())}, headers=HX)
    assert "No flow in this capture" in answer.text


def test_the_answer_as_a_file() -> None:
    with page() as (client, _):
        answer = client.post("/report", data={"target": "https://blocked.example/", "beside": "yes", "date2": "2020-01-01", **DAY})
        assert answer.headers["content-disposition"] == 'attachment; filename="crenel-answer.html"'
        assert "crenel try https://blocked.example/ --wall gfw --as-of 2025-01-15 --compare 2020-01-01" in html.unescape(answer.text)
        wrong = client.post("/report", data={"target": "gopher://x/"})
        assert "content-disposition" not in wrong.headers
        assert "not known" in problem(wrong.text)
        capture = client.post("/report", data={"kind": "capture", **DAY}, files={"capture": ("mine.pcapng", FIRST_LOOK.read_bytes())})
        assert "crenel check mine.pcapng" in html.unescape(capture.text)


def test_the_packets_as_a_file() -> None:
    with page() as (client, _):
        answer = client.post("/packets", data={"target": "blocked.example", **DAY})
        assert answer.content.startswith(b"\x0a\x0d\x0d\x0a")
        assert "content-disposition" not in client.post("/packets", data={"target": "gopher://x/"}).headers


def test_the_timeline() -> None:
    with page() as (client, _):
        some = client.get("/timeline", params={"since": "2024", "kind": "mechanism"})
        wrong = client.get("/timeline", params={"since": "<script>"})
    assert "2024-04-07" in some.text
    assert "2018-08" not in some.text
    assert "'<script>' is not a date" in problem(wrong.text)


@pytest.mark.parametrize("name", ["page.css", "page.js", "htmx.min.js", "icon.svg", "ladder.css"])
def test_files_of_the_page(name: str) -> None:
    with page() as (client, _):
        assert client.get(f"/static/{name}").status_code == 200


@pytest.mark.parametrize("path", ["/nowhere", "/static/../routes.py", "/static/%2e%2e%2froutes.py", "/static/htmx.LICENSE", "/static/"])
def test_what_is_not_there(path: str) -> None:
    with page() as (client, _):
        answer = client.get(path)
    assert answer.status_code == 404
    assert "There is no such page here." in answer.text
