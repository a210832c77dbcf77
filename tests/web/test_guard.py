"""Another site, another name for this machine, another origin: refused; and every answer keeps the page to itself."""

import pytest

from tests.web.made import BASE, PORT, page


@pytest.mark.parametrize(
    "host",
    ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", f"127.0.0.1.evil.example:{PORT}", f"0.0.0.0:{PORT}", "", f"[::]:{PORT}"],
)
@pytest.mark.parametrize("path", ["/", "/timeline", "/static/page.js"])
def test_another_host_is_refused(host: str, path: str) -> None:
    with page() as (client, _):
        answer = client.get(path, headers={"host": host})
    assert answer.status_code == 403
    assert answer.text.startswith("crenel: ")
    assert "form" not in answer.text


@pytest.mark.parametrize("host", [f"127.0.0.1:{PORT}", f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"])
def test_this_machine_is_served(host: str) -> None:
    with page() as (client, _):
        assert client.get("/timeline", headers={"host": host}).status_code == 200


def test_two_hosts_are_refused() -> None:
    with page() as (client, _):
        request = client.build_request("GET", "/timeline", headers=[("host", f"127.0.0.1:{PORT}"), ("host", "evil.example")])
        assert client.send(request).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"https://127.0.0.1:{PORT}"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": f"http://localhost:{PORT}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/report", "/packets"])
def test_a_post_of_another_site_is_refused(headers: dict[str, str], path: str) -> None:
    with page() as (client, shelf):
        answer = client.post(path, data={"target": "blocked.example"}, files={"capture": ("x.pcap", b"x")}, headers=headers)
        assert answer.status_code == 403
        assert not [*shelf.folder.iterdir()]


@pytest.mark.parametrize("headers", [{}, {"origin": BASE}, {"origin": BASE, "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}])
def test_a_post_of_the_page_itself_is_answered(headers: dict[str, str]) -> None:
    with page() as (client, _):
        assert client.post("/", data={"target": "blocked.example"}, headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/timeline", "/static/page.css", "/nowhere"])
def test_every_answer_keeps_the_page_to_itself(path: str) -> None:
    with page() as (client, _):
        headers = client.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_methods_that_nobody_needs_are_refused() -> None:
    with page() as (client, _):
        assert client.put("/").status_code == 405
        assert client.delete("/report").status_code == 405
        assert client.get("/report").status_code == 405
