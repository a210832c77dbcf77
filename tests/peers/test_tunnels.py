"""Tunnels in, whether they stand out: nothing that is documented for these dates and modelled here stops any of them."""

import subprocess
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from tests.peers.bundle import certificate
from tests.peers.scene import ADDRESS, Case, Program, Scene, cases, page, try_case, words

_FAR, _NEAR = "10.9.0.1", "10.9.0.2"
"""The two ends within a tunnel."""


def _openvpn(transport: str) -> Case:
    def play(scene: Scene) -> str:
        bundle = certificate(scene.folder)
        fingerprint = x509.load_pem_x509_certificate(bundle.read_bytes()).fingerprint(hashes.SHA256()).hex(":")
        shared = ["openvpn", "--dev", "tun", "--cert", str(bundle), "--key", str(bundle), "--peer-fingerprint", fingerprint]
        server, client = {"udp": ("udp", "udp"), "tcp": ("tcp-server", "tcp-client")}[transport]
        far = ["--tls-server", "--dh", "none", "--ifconfig", _FAR, _NEAR, "--proto", server, "--local", ADDRESS, "--port", "1194"]
        near = ["--tls-client", "--ifconfig", _NEAR, _FAR, "--proto", client, "--remote", ADDRESS, "1194", "--nobind"]
        scene.start([*shared, *far], port=1194, transport="tcp" if transport == "tcp" else "udp")
        return _page(scene, Program([*shared, *near], says="Initialization Sequence Completed"))

    return Case("openvpn", transport.upper(), "", play, "passes", programs=("openvpn", "curl"), root=True)


def _wireguard(scene: Scene) -> str:
    public = {}
    for end in ("far", "near"):
        secret = subprocess.run(["wg", "genkey"], capture_output=True, check=True).stdout
        (scene.folder / end).write_bytes(secret)
        public[end] = subprocess.run(["wg", "pubkey"], input=secret, capture_output=True, check=True).stdout.decode().strip()
    far = _interface(scene, "far", _FAR, f"listen-port 51820 peer {public['near']} allowed-ips {_NEAR}/32")
    near = _interface(scene, "near", _NEAR, f"peer {public['far']} endpoint {ADDRESS}:51820 allowed-ips {_FAR}/32")
    scene.start(["sh", "-c", far], port=51820, transport="udp")
    return _page(scene, Program(["sh", "-c", near], says="up and away"))


def _interface(scene: Scene, end: str, address: str, settings: str) -> str:
    """Return a script that makes one end of a tunnel and keeps it."""
    made = f"wg set wg0 private-key {scene.folder / end} {settings} && ip address add {address}/24 dev wg0 && ip link set wg0 up"
    # The program that makes the interface goes on in the background; the shell stays, so that both end with the lab.
    return f"LOG_LEVEL=error wireguard-go -f wg0 & until [ -S /var/run/wireguard/wg0.sock ]; do sleep 0.01; done; {made} && echo up and away; wait"


def _ssh(scene: Scene) -> str:
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(scene.folder / name)], check=True)
    settings = scene.folder / "sshd.conf"
    settings.write_text(
        f"Port 22\nHostKey {scene.folder / 'host'}\nAuthorizedKeysFile {scene.folder / 'user.pub'}\nStrictModes no\nPidFile none\n"
        "PermitRootLogin yes\nPasswordAuthentication no\nUsePAM no\n"
    )
    # It wants a place of its own, which the system's own start makes elsewhere, and to be called by its whole name.
    scene.start(["sh", "-c", f'mkdir -p /run/sshd; exec "$(command -v sshd)" -D -e -f {settings}'], port=22)
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=5")
    argv = ["ssh", "-F", "none", "-i", str(scene.folder / "user"), *(f"-o{option}" for option in options), f"root@{ADDRESS}", "echo here"]
    done = scene.act(argv)
    return "passes" if b"here" in done.stdout else words(done)


def _page(scene: Scene, tunnel: Program) -> str:
    done = scene.act(["curl", "-sS", "--max-time", "5", f"http://{_FAR}/"], after=[tunnel])
    return "passes" if page(_FAR) in done.text else words(done)


_WIREGUARD = Case("wireguard-go", "UDP", "", _wireguard, "passes", programs=("wireguard-go", "wg", "ip", "curl"), root=True)
_SSH = Case("ssh", "TCP", "", _ssh, "passes", programs=("ssh", "sshd", "ssh-keygen"), package="openssh-client", root=True)


@cases(
    # Of OpenVPN one run takes two seconds, by timers of its own; over TCP is how the box of 2022 could have met it.
    _openvpn("tcp")._replace(as_of="2022-06-01"),
    _openvpn("udp")._replace(as_of="2025-01-15"),
    *(case._replace(as_of=as_of) for as_of in ("2022-06-01", "2025-01-15") for case in (_WIREGUARD, _SSH)),
)
def test_tunnels_pass(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)
