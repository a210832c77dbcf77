"""Invented machines in, what tools/peers.sh does on them out: no service may start while it installs, and nothing of it may stay behind."""

import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "tools" / "peers.sh"
ALLOWS = "#!/bin/sh\nexit 0\n"
FORBIDS = "#!/bin/sh\nexit 101\n"


class Machine:
    """A folder of programs that stand for dpkg-query, id and apt-get; apt-get writes down what the policy answered while it ran."""

    def __init__(self, place: Path, *, user: int = 0, installed: str = "", absent: str = "nothing-at-all") -> None:
        self.policy = place / "sbin" / "policy-rc.d"
        self.policy.parent.mkdir()
        self.log = place / "log"
        self.programs = place / "bin"
        self.programs.mkdir()
        self.program("id", f"echo {user}")
        status = f"""for name; do :; done; case " {installed} " in *" $name "*) printf installed;; *) exit 1;; esac"""
        self.program("dpkg-query", f'[ "$1" != -L ] || exec cat {place}/files; {status}')
        self.program("apt-get", f"""{self.policy} x start; echo "$? $*" >>{self.log}; case "$*" in *install*{absent}*) exit 100;; esac""")

        for tool in ("deb-systemd-helper", "update-rc.d"):
            self.program(tool, f'echo "{tool} $*" >>{place}/retired')
        (place / "files").touch()

    def program(self, name: str, body: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def stand(self, policy: str) -> None:
        self.policy.write_text(policy)
        self.policy.chmod(0o755)

    def install(self, *packages: str, peers: str = "yes") -> str:
        variables = {"PATH": f"{self.programs}:/usr/sbin:/usr/bin:/sbin:/bin", "CRENEL_POLICY": str(self.policy), "PEERS": peers}
        done = subprocess.run(["sh", SCRIPT, *packages], env=variables, capture_output=True, text=True, check=True, timeout=30)
        return done.stderr

    def asked(self) -> list[str]:
        """Return, for each run of apt-get, what the policy answered and the last words of the command."""
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.mark.parametrize("standing", [None, ALLOWS, FORBIDS])
@pytest.mark.parametrize("absent", ["tcpdump", "tshark"])
def test_services_are_forbidden_meanwhile_and_the_policy_is_as_before(tmp_path: Path, standing: str | None, absent: str) -> None:
    machine = Machine(tmp_path, absent=absent)
    if standing:
        machine.stand(standing)
    said = machine.install("tshark")
    assert {line.split()[0] for line in machine.asked()} == {"101"}
    assert (machine.policy.read_text() if machine.policy.exists() else None) == standing
    assert [path.name for path in machine.policy.parent.iterdir()] == (["policy-rc.d"] if standing else [])
    assert ("tests that need them will be skipped" in said) == (absent == "tshark")


def test_what_a_killed_run_left_behind_is_cleared(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.stand("#!/bin/sh\n# put here by crenel, for as long as it installs packages\nexit 101\n")
    machine.policy.with_name("policy-rc.d.crenel").write_text(ALLOWS)
    machine.install("tshark")
    assert machine.policy.read_text() == ALLOWS
    assert len(list(machine.policy.parent.iterdir())) == 1


def test_only_what_is_missing_is_installed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, installed="tshark")
    machine.install("tshark", "tcpdump")
    assert machine.asked()[-1].endswith("install --yes --no-install-recommends tcpdump")


def test_no_service_of_a_new_package_starts_with_the_machine(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    units = "/lib/systemd/system"
    (tmp_path / "files").write_text(
        f"/.\n{units}\n{units}/stunnel.target\n{units}/stunnel@.service\n/usr{units}/ssh.socket\n/usr{units}/ssh.service.d/more.conf\n/etc/init.d/ssh\n"
    )
    machine.install("openssh-server")
    expected = ["deb-systemd-helper disable stunnel.target", "deb-systemd-helper disable ssh.socket", "update-rc.d ssh disable"]
    assert (tmp_path / "retired").read_text().splitlines() == expected


def test_services_of_packages_that_were_there_before_are_left_alone(tmp_path: Path) -> None:
    machine = Machine(tmp_path, installed="openssh-server")
    (tmp_path / "files").write_text("/etc/init.d/ssh\n")
    machine.install("openssh-server")
    assert not (tmp_path / "retired").exists()


def test_one_package_that_cannot_be_had_keeps_no_other_away(tmp_path: Path) -> None:
    machine = Machine(tmp_path, absent="tcpdump")
    said = machine.install("tcpdump", "tshark")
    assert "not installed: tcpdump (apt-get failed" in said
    assert machine.asked()[-1].endswith("install --yes --no-install-recommends tshark")


@pytest.mark.parametrize(
    ("machine", "peers"), [({"installed": "tshark"}, "yes"), ({}, "no"), ({"user": 1000}, "yes")], ids=["all there", "PEERS=no", "not root"]
)
def test_nothing_is_installed_where_nothing_may_or_need_be(tmp_path: Path, machine: dict[str, str], peers: str) -> None:
    invented = Machine(tmp_path, **machine)  # type: ignore[arg-type]  # the table mixes users and packages
    said = invented.install("tshark", peers=peers)
    assert not invented.asked()
    assert ("tshark (not root)" in said) == ("user" in machine)
