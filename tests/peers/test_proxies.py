"""Proxies in, what the wall makes of their first bytes out: those that look like nothing at all are stopped for a time, TLS is not."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.peers.bundle import certificate
from tests.peers.scene import ADDRESS, Case, Program, Scene, cases, try_case, words

_RANDOM = {"fet": 0.263}
_TLS_2025 = {"tls-sni-single": 0.87, "tls-sni-triple": 0.882, "tls-sni-late": 0.042}
_THEN, _NOW = "2022-06-01", "2024-01-15"
"""Some weeks after it was measured, and ten months after it was switched off."""
_LOCAL, _REMOTE = 1080, 8388
_METHOD = "chacha20-ietf-poly1305"
_USER = "b831381d-6324-4d53-ad4f-8cda48b30811"


def _shadowsocks(scene: Scene) -> str:
    shared = ("-k", "secret", "-m", _METHOD)
    scene.start(["ss-server", "-s", "0.0.0.0", "-p", str(_REMOTE), *shared], port=_REMOTE)
    near = Program(["ss-local", "-s", ADDRESS, "-p", str(_REMOTE), "-b", "127.0.0.1", "-l", str(_LOCAL), *shared], _LOCAL)
    return _fetch_as_candidate(scene, near, _REMOTE)


def _vmess(scene: Scene) -> str:
    user = {"id": _USER, "alterId": 0}
    far = {"inbounds": [{"port": _REMOTE, "protocol": "vmess", "settings": {"clients": [user]}}], "outbounds": [{"protocol": "freedom"}]}
    there = {"vnext": [{"address": ADDRESS, "port": _REMOTE, "users": [user]}]}
    socks = {"port": _LOCAL, "listen": "127.0.0.1", "protocol": "socks", "settings": {}}
    near = {"inbounds": [socks], "outbounds": [{"protocol": "vmess", "settings": there}]}
    scene.start(["v2ray", "-config", _write(scene, "far.json", far)], port=_REMOTE)
    return _fetch_as_candidate(scene, Program(["v2ray", "-config", _write(scene, "near.json", near)], _LOCAL), _REMOTE)


def _obfs4(scene: Scene) -> str:
    folders = [scene.folder / name for name in ("far", "near")]
    shared = {"TOR_PT_MANAGED_TRANSPORT_VER": "1", "TOR_PT_EXIT_ON_STDIN_CLOSE": "0"}
    server = {"TOR_PT_SERVER_TRANSPORTS": "obfs4", "TOR_PT_SERVER_BINDADDR": f"obfs4-0.0.0.0:{_REMOTE}", "TOR_PT_ORPORT": "127.0.0.1:80"}
    scene.start(["obfs4proxy"], port=_REMOTE, env={**shared, **server, "TOR_PT_STATE_LOCATION": str(folders[0])})
    bridge = (folders[0] / "obfs4_bridgeline.txt").read_text().split()
    secret = next(word for word in bridge if word.startswith("cert="))
    client = {**shared, "TOR_PT_CLIENT_TRANSPORTS": "obfs4", "TOR_PT_STATE_LOCATION": str(folders[1])}
    near = Program(["obfs4proxy"], says=r"CMETHOD obfs4 socks5 127\.0\.0\.1:(?P<port>\d+)", env=client)
    # A pluggable transport is told what it needs as user and password, which it puts together, and leads to the bridge that is asked for.
    argv = ["-x", "socks5://127.0.0.1:{port}", "-U", f"{secret};iat-mode=:0"]
    return _fetch_as_candidate(scene, near, _REMOTE, argv, f"http://{ADDRESS}:{_REMOTE}/")


def _trojan(scene: Scene) -> str:
    bundle = str(certificate(scene.folder))
    far = {
        "run_type": "server", "local_addr": "0.0.0.0", "local_port": 443, "remote_addr": "127.0.0.1", "remote_port": 80,
        "password": ["secret"], "log_level": 2, "ssl": {"cert": bundle, "key": bundle, "alpn": ["http/1.1"]},
    }  # fmt: skip
    near = {
        "run_type": "client", "local_addr": "127.0.0.1", "local_port": _LOCAL, "remote_addr": ADDRESS, "remote_port": 443,
        "password": ["secret"], "log_level": 2,
        "ssl": {"verify": False, "verify_hostname": False, "sni": "allowed.example", "alpn": ["h2", "http/1.1"]},
    }  # fmt: skip
    scene.start(["trojan", _write(scene, "far.json", far)], port=443)
    return _fetch(scene, Program(["trojan", _write(scene, "near.json", near)], _LOCAL))


def _stunnel(name: str) -> Callable[[Scene], str]:
    def play(scene: Scene) -> str:
        shared = "foreground = yes\npid =\n"
        far = f"{shared}[pages]\naccept = 443\nconnect = 127.0.0.1:80\ncert = {certificate(scene.folder)}\n"
        near = f"{shared}[pages]\nclient = yes\naccept = 127.0.0.1:{_LOCAL}\nconnect = {ADDRESS}:443\nsni = {name}\n"
        scene.start(["stunnel4", _write(scene, "far.conf", far)], port=443)
        return _fetch(scene, Program(["stunnel4", _write(scene, "near.conf", near)], _LOCAL), (), f"http://127.0.0.1:{_LOCAL}/")

    return play


def _write(scene: Scene, name: str, settings: object) -> str:
    path = scene.folder / name
    path.write_text(settings if isinstance(settings, str) else json.dumps(settings))
    return str(path)


def _fetch(scene: Scene, near: Program, through: Sequence[str] | None = None, url: str = f"http://{ADDRESS}/") -> str:
    """Fetch a page twice over one connection of a proxy: what is blocked after a moment lets the first one through."""
    proxy = ("-x", f"socks5h://127.0.0.1:{_LOCAL}") if through is None else through
    done = scene.act(["curl", "-sS", "--max-time", "3", "--rate", "4/s", *proxy, url, url], after=[near])
    said = words(done)
    if said.count("This is ") == 2:
        return "passes"
    if done.status == 28:
        return "silence"
    return "reset" if scene.was_reset() else said


def _fetch_as_candidate(scene: Scene, near: Program, port: int, through: Sequence[str] | None = None, url: str = f"http://{ADDRESS}/") -> str:
    """Fetch anew while chance has made the first bytes such that the published rule lets them through: some three times in a thousand."""
    met = ""
    for _ in range(5):
        met = _fetch(scene, near, through, url)
        if not all(_is_exempt(payload) for payload in _first_payloads(scene, port)):
            break
    return met


def _first_payloads(scene: Scene, port: int) -> list[bytes]:
    found: dict[int, bytes] = {}
    for event in scene.lab.trace:
        if event.what == "sent" and event.sender == "client" and event.packet.dport == port and event.packet.payload:
            found.setdefault(event.packet.sport, bytes(event.packet.payload))
    return list(found.values())


def _is_exempt(payload: bytes) -> bool:
    """Say whether the rule of 2022 lets a first payload through, but for what looks like TLS or HTTP."""
    bits = sum(byte.bit_count() for byte in payload) / len(payload)
    printable = [0x20 <= byte <= 0x7E for byte in payload]
    run = max(map(len, "".join(".#"[each] for each in printable).split(".")))
    return bits <= 3.4 or bits >= 4.6 or all(printable[:6]) or sum(printable) > len(payload) / 2 or run > 20


_SHADOWSOCKS = Case("shadowsocks-libev", "AEAD stream", "", _shadowsocks, "passes", programs=("ss-local", "ss-server", "curl"))
_OBFS4 = Case("obfs4proxy", "obfs4", "", _obfs4, "passes", programs=("obfs4proxy", "curl"))
_VMESS = Case("v2ray", "VMess", "", _vmess, "passes", programs=("v2ray", "curl"))
_TROJAN = Case("trojan", "TLS, unlisted", "", _trojan, "passes", programs=("trojan", "curl"))
_STUNNEL = Case("stunnel4", "TLS, unlisted", "", _stunnel("allowed.example"), "passes", programs=("stunnel4", "curl"))
_STUNNEL_NAMED = Case("stunnel4", "TLS, listed", "", _stunnel("blocked.example"), "reset", programs=("stunnel4", "curl"))


@cases(*(_case._replace(as_of=_THEN, met="silence", boxes=_RANDOM) for _case in (_SHADOWSOCKS, _OBFS4, _VMESS)))
def test_what_looks_like_nothing_is_stopped_for_some_time(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)


@cases(*(_case._replace(as_of=_NOW) for _case in (_SHADOWSOCKS, _OBFS4, _VMESS)))
def test_and_then_no_more(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)


@cases(
    _TROJAN._replace(as_of=_THEN),
    _TROJAN._replace(as_of="2025-01-15"),
    _STUNNEL._replace(as_of=_THEN),
    _STUNNEL._replace(as_of="2025-01-15"),
    _STUNNEL_NAMED._replace(as_of="2025-01-15", boxes=_TLS_2025),
)
def test_what_looks_like_the_web_is_judged_by_its_name(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)


def test_the_published_rule_tells_random_bytes_from_others() -> None:
    random = bytes.fromhex("8f1ce5003af791d4b80762c95ee3109d")
    for candidate in (random, random * 4 + b"a" * 20):
        assert not _is_exempt(candidate)
    for exempt in (b"GET / HTTP/1.1", b"abcdef" + random, bytes(16), b"\xff" * 16, random + b"a" * 21):
        assert _is_exempt(exempt)
