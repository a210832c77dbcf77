"""Programs that fetch pages in, what they get out: resets for listed names in HTTP and TLS, silence in QUIC, and the way around it."""

import sys
from collections.abc import Callable
from pathlib import Path

from tests.peers.scene import ADDRESS, Case, Scene, cases, page, try_case, words

_TLS_2020 = {"tls-sni-triple": 0.97}
_TLS_2025 = {"tls-sni-single": 0.87, "tls-sni-triple": 0.882, "tls-sni-late": 0.042}
_QUIC = {"quic-sni": 0.197}
"""From noon to one o'clock in Beijing."""
_LATER = 0.4
"""Seconds between two requests: longer than it takes, in the median, until what follows a listed name in QUIC is dropped."""

_CURL_CFFI = """
import sys, time
from curl_cffi import CurlHttpVersion, CurlOpt, requests
browser, version, *names = sys.argv[1:]
for number, name in enumerate(names):
    time.sleep(LATER if number else 0)
    how = dict(http_version=CurlHttpVersion[version], verify=False, impersonate=browser or None, timeout=2)
    there = {CurlOpt.RESOLVE: [name + ":443:ADDRESS"]}  # it asks the resolver even for what stands in the hosts file
    try:
        got = requests.get("https://" + name + "/", curl_options=there, **how)
        print("got", got.text.splitlines()[-1])
    except requests.exceptions.RequestException as problem:
        print("failed", problem)
""".replace("LATER", str(_LATER)).replace("ADDRESS", ADDRESS)

_AIOQUIC = """
import asyncio, os, ssl, sys
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration

class Client(QuicConnectionProtocol):
    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.http, self.body = H3Connection(self._quic), asyncio.Queue()
    def quic_event_received(self, event):
        for found in self.http.handle_event(event):
            if isinstance(found, DataReceived) and found.data:
                self.body.put_nowait(found.data)
    async def get(self, name):
        stream = self._quic.get_next_available_stream_id()
        head = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", name.encode()), (b":path", b"/")]
        self.http.send_headers(stream, head, end_stream=True)
        self.transmit()
        return await asyncio.wait_for(self.body.get(), 2)

async def main(name):
    settings = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE, server_name=name)
    async with connect("ADDRESS", 443, configuration=settings, create_protocol=Client) as client:
        for pause in 0, LATER:
            await asyncio.sleep(pause)
            try:
                print("got", (await client.get(name)).decode().splitlines()[-1], flush=True)
            except TimeoutError:
                print("failed: timed out", flush=True)
                os._exit(0)  # nobody is there any more with whom it could be closed

asyncio.run(main(sys.argv[1]))
""".replace("LATER", str(_LATER)).replace("ADDRESS", ADDRESS)

_POSTS = ("-v", "--mail-from", "someone@allowed.example", "--mail-rcpt", "someone@blocked.example", "--upload-file", "/etc/hosts")


def _curl(found: str, *argv: str) -> Callable[[Scene], str]:
    def play(scene: Scene) -> str:
        said = words(scene.act(["curl", "-sS", "--max-time", "5", *argv]))
        return "passes" if found in said else _failed(said)

    return play


def _cffi(browser: str, version: str, *names: str, found: str) -> Callable[[Scene], str]:
    """Fetch a page under each name in turn; all is well if the last one comes by the version of HTTP that is expected."""

    def play(scene: Scene) -> str:
        said = words(scene.act([sys.executable, "-c", _CURL_CFFI, browser, version, *names]))
        *_, last = said.splitlines()
        return "passes" if last == f"got <p>{page(names[-1], found)}" else _failed(said)

    return play


def _long_hello(scene: Scene) -> str:
    met = _cffi("chrome", "V2_0", "blocked.example", found="2.0")(scene)
    hello = sum(len(event.packet.payload) for event in scene.lab.trace if event.what == "sent" and event.packet.dport == 443)
    return met if met == "passes" or hello > 1600 else f"{met} for a hello of {hello} bytes, which one packet could hold"


def _aioquic(scene: Scene) -> str:
    said = words(scene.act([sys.executable, "-c", _AIOQUIC, "blocked.example"]))
    return "passes" if said == f"got <p>{page('blocked.example', '3.0')}\n" * 2 else _failed(said)


def _ngtcp2(scene: Scene) -> str:
    wait = f"--delay-stream={round(_LATER * 1000)}ms"  # after the handshake, before the request
    argv = ["gtlsclient", "-q", wait, "--timeout=1500ms", "--exit-on-all-streams-close", "blocked.example", "443", "https://blocked.example/"]
    scene.act([*argv, "--download=."])
    found = scene.folder / "index.html"
    return "passes" if found.exists() and page("blocked.example", "3.0") in found.read_text() else "silence"


def _falls_back(scene: Scene) -> str:
    """Let one client's name arm the wall's memory; a browser's QUIC to the same server then dies before it begins, and TCP serves it."""
    name = "mozilla.cloudflare-dns.com"
    scene.act([sys.executable, "-c", _AIOQUIC, name])
    said = words(scene.act([sys.executable, "-c", _CURL_CFFI, "chrome", "V3", name]))
    return {f"got <p>{page(name, '3.0')}": "passes", f"got <p>{page(name, '2.0')}": "falls back"}.get(said.strip(), said)


def _chromium(name: str, version: str, *argv: str) -> Callable[[Scene], str]:
    def play(scene: Scene) -> str:
        quiet = ("no-first-run", "disable-background-networking", "disable-component-update", "disable-sync", "disable-gpu", "disable-dev-shm-usage")
        more = (f"--ignore-certificate-errors-spki-list={scene.pin}", f"--user-data-dir={scene.folder}/profile")
        # It calls home at every start; those look-ups say nothing of the page.
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.example"
        argv_all = ["chromium", "--headless", "--no-sandbox", *(f"--{word}" for word in quiet), *more, rules, *argv, "--dump-dom", f"https://{name}/"]
        said = words(scene.act(argv_all))
        return "passes" if page(name, version) in said else _failed(said)

    return play


def _failed(said: str) -> str:
    """Return how a fetch went wrong, from what the program says of it."""
    if "reset by peer" in said or "ERR_CONNECTION_RESET" in said:
        return "reset"
    return "silence" if "timed out" in said else said


_HTTP = Case("curl", "HTTP, listed", "", _curl(page("blocked.example"), "http://blocked.example/"), "reset", programs=("curl",))
_HTTPS = _HTTP._replace(does="TLS, listed", play=_curl(page("blocked.example", "2.0"), "https://blocked.example/"))
_FREE = _HTTP._replace(does="TLS, unlisted", play=_curl(page("allowed.example", "2.0"), "https://allowed.example/"), met="passes")
_FTP = _HTTP._replace(does="FTP, listed", play=_curl("This is blocked.example in a lab.", f"ftp://{ADDRESS}/blocked.example"))
_MAIL = _HTTP._replace(does="SMTP, listed", play=_curl("Taken as", *_POSTS, f"smtp://{ADDRESS}/client.example"))

_BROWSER = Case("curl-cffi", "TLS, 1.7 kB hello, listed", "", _long_hello, "reset", libraries=("curl_cffi",))
_BROWSER_3 = _BROWSER._replace(
    does="QUIC, shuffled hello, listed", play=_cffi("chrome", "V3ONLY", "blocked.example", "blocked.example", found="3.0"), met="passes"
)
_ONE_FRAME = Case("aioquic", "QUIC, plain hello, listed", "", _aioquic, "passes", libraries=("aioquic",))
_ONE_FRAME_C = Case("ngtcp2", "QUIC, plain hello, listed", "", _ngtcp2, "passes", programs=("gtlsclient",), package="ngtcp2-client")
_WAY_AROUND = Case("curl-cffi", "QUIC after a plain hello", "", _falls_back, "passes", libraries=("curl_cffi", "aioquic"))
_CHROMIUM = Case("chromium", "TLS, listed", "", _chromium("blocked.example", "2.0"), "reset", programs=("chromium",))
_CHROMIUM_3 = _CHROMIUM._replace(
    does="QUIC, shuffled hello, listed", play=_chromium("blocked.example", "3.0", "--origin-to-force-quic-on=blocked.example:443"), met="passes"
)


@cases(
    _HTTP._replace(as_of="2018-05-01", boxes={"http-host": 0.97}),
    _HTTP._replace(as_of="2025-01-15", boxes={"http-host": 0.999307}),
    _FTP._replace(as_of="2020-01-15", boxes={"ftp": 0.97}),
    _MAIL._replace(as_of="2020-01-15", boxes={"smtp": 0.74}),
    _HTTPS._replace(as_of="2018-05-01", met="passes"),
    _HTTPS._replace(as_of="2020-01-15", boxes=_TLS_2020),
    _HTTPS._replace(as_of="2025-01-15", boxes=_TLS_2025),
    _FREE._replace(as_of="2025-01-15"),
    _BROWSER._replace(as_of="2020-01-15", boxes=_TLS_2020),
    _BROWSER._replace(as_of="2025-01-15", boxes=_TLS_2025),
    _CHROMIUM._replace(as_of="2025-01-15", boxes=_TLS_2025),
)
def test_over_tcp(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)


@cases(
    _ONE_FRAME._replace(as_of="2023-12-15"),
    _ONE_FRAME._replace(as_of="2024-11-15", met="silence", boxes=_QUIC),
    _ONE_FRAME_C._replace(as_of="2023-12-15"),
    _ONE_FRAME_C._replace(as_of="2024-11-15", met="silence", boxes=_QUIC),
    _BROWSER_3._replace(as_of="2024-11-15"),
    _WAY_AROUND._replace(as_of="2023-12-15"),
    _WAY_AROUND._replace(as_of="2024-11-15", met="falls back", boxes=_QUIC),
    _CHROMIUM_3._replace(as_of="2024-11-15"),
)
def test_over_quic(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)
