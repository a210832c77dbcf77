"""`crenel web`: what keeps it from serving is one sentence."""

import socket
import webbrowser
from collections.abc import Callable, Sequence

import pytest

from crenel.cli.web import _opened
from tests.cli.running import run


def test_a_port_in_use() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, out, err = run("web", "--port", str(port), "--no-open")
    assert (status, out) == (2, "")
    assert err == f"crenel: port {port} on 127.0.0.1: Address already in use; --port takes another, 0 any that is free\n"


def test_a_port_that_is_none() -> None:
    assert run("web", "--port", "70000").status == 2


def test_a_wall_that_is_none() -> None:
    status, out, err = run("web", "--port", "0", "--wall", "nowhere.toml")
    assert (status, out) == (2, "")
    assert err.startswith("crenel: nowhere.toml: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("opened", [True, False])
def test_a_browser_is_opened_where_there_is_one(monkeypatch: pytest.MonkeyPatch, opened: bool) -> None:
    asked: list[str] = []

    def open_page(address: str) -> bool:
        asked.append(address)
        return opened

    def serve(port: int, walls: Sequence[str], ready: Callable[[str], None]) -> None:
        ready("http://127.0.0.1:1/")

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", open_page)
    monkeypatch.setattr("crenel.web.serve.serve", serve)
    status, out, err = run("web")
    assert (status, out) == (0, "http://127.0.0.1:1/  (Ctrl-C ends it)\n")
    assert ("no browser could be opened here" in err) == (not opened)
    assert asked == ["http://127.0.0.1:1/"]
    assert run("web", "--no-open").err == ""


def test_without_a_display_no_browser_takes_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(webbrowser, "open", lambda _: pytest.fail("opened"))
    assert not _opened("http://127.0.0.1:1/")
