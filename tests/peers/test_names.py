"""Programs that look names up in, what they are told out: lies over UDP, resets over TCP, the truth where the question cannot be read."""

from collections.abc import Callable
from pathlib import Path

from crenel.net.lab.internet.naming import Names
from tests.peers.scene import RESOLVER, Case, Scene, cases, try_case, words

_INJECTORS = {"dns-1": 1.0, "dns-2": 1.0, "dns-3": 1.0}
_DIG = ("dig", "+tries=1", "+time=2", "+short", f"@{RESOLVER}")
_KDIG = ("kdig", "+retry=0", "+timeout=2", "+short", f"@{RESOLVER}")


def _asks(*argv: str) -> Callable[[Scene], str]:
    """Ask; the last argument is the name."""

    def play(scene: Scene) -> str:
        said = words(scene.act(argv, timeout=10))
        answers = [line for line in said.splitlines() if line[:1].isdigit()]
        if answers:
            return "passes" if answers == [Names().look_up(argv[-1])[0]] else "forged"
        # kdig does not say why it has no answer.
        return "reset" if "reset" in said or ("failed to query" in said and scene.was_reset()) else said

    return play


def _dig(does: str, as_of: str, *argv: str) -> Case:
    return Case("dig", does, as_of, _asks(*_DIG, *argv), "passes", programs=("dig",), package="bind9-dnsutils")


def _kdig(does: str, as_of: str, *argv: str) -> Case:
    return Case("kdig", does, as_of, _asks(*_KDIG, *argv), "passes", programs=("kdig",), package="knot-dnsutils")


@cases(
    _dig("UDP, listed", "2020-01-15", "blocked.example")._replace(met="forged", boxes=_INJECTORS),
    _dig("UDP, listed", "2025-01-15", "blocked.example")._replace(met="forged", boxes=_INJECTORS),
    _dig("UDP, unlisted", "2025-01-15", "allowed.example"),
    _dig("TCP, listed", "2018-05-01", "+tcp", "blocked.example")._replace(met="reset", boxes={"dns-tcp": 0.972}),
    _dig("TCP, listed", "2025-01-15", "+tcp", "blocked.example")._replace(met="reset", boxes={"dns-tcp": 0.97}),
    _kdig("UDP, listed", "2025-01-15", "blocked.example")._replace(met="forged", boxes=_INJECTORS),
    _kdig("TCP, listed", "2025-01-15", "+tcp", "blocked.example")._replace(met="reset", boxes={"dns-tcp": 0.97}),
    _kdig("over TLS, listed", "2025-01-15", "+tls", "blocked.example"),
    _kdig("over HTTPS, listed", "2025-01-15", "+https", "blocked.example"),
)
def test_resolver_clients(case: Case, tmp_path: Path, row: dict[str, str]) -> None:
    try_case(case, tmp_path, row)
