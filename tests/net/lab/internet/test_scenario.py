"""Scenario files in, hosts and programs out; each mistake is one sentence with its place."""

from pathlib import Path

import pytest

from crenel.errors import UsageError
from crenel.net.lab.internet.scenario import Host, Listen, Scenario, load_scenario, parse_scenario, read_listen

WHOLE = """
ipv6 = false

[[host]]
name = "mine.example"
addresses = ["203.0.113.10", "2001:db8:5e::10"]

[[program]]
name = "tunnel"
command = ["tunnel", "--listen", "203.0.113.10:443"]
listen = ["tcp/203.0.113.10:443", "udp/8388"]
within = 2.5
folder = "etc"
environment = { KEY = "value" }
"""


def test_a_whole_scenario_is_read(tmp_path: Path) -> None:
    file = tmp_path / "lab.toml"
    file.write_text(WHOLE)
    scenario = load_scenario(file)
    assert scenario.host == (Host("mine.example", ("203.0.113.10", "2001:db8:5e::10")),)
    (program,) = scenario.program
    assert program.command == ("tunnel", "--listen", "203.0.113.10:443")
    assert program.listens() == (Listen("tcp", "203.0.113.10", 443), Listen("udp", None, 8388))
    assert (program.within, program.folder, program.environment) == (2.5, str(tmp_path / "etc"), {"KEY": "value"})
    assert not scenario.ipv6


def test_an_empty_scenario_adds_nothing() -> None:
    assert parse_scenario(b"", "x.toml") == Scenario()


PROGRAM = '[[program]]\nname = "a"\ncommand = ["a"]\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[host]]\nname = 'a'\nadresses = []", "lab.toml: Object contains unknown field `adresses` - at `$.host[0]`"),
        ("hosts = 1", "lab.toml: Object contains unknown field `hosts`"),
        ("[[host]]\nname = 'a'\naddresses = ['1.2.3']", "lab.toml: at `$.host[0].addresses`: '1.2.3' does not appear to be an IPv4 or IPv6 address"),
        ("[[host]]\nname = 'a'\naddresses = []", "lab.toml: at `$.host[0].addresses`: a has none"),
        ("[[host]]\nname = 'A b'\naddresses = ['1.2.3.4']", "lab.toml: at `$.host[0].name`: 'A b' is no host name in small letters"),
        ("[[host]]\nname='a'\naddresses=['1.2.3.4']\n" * 2, "lab.toml: at `$.host[1].name`: a is there twice"),
        (PROGRAM * 2, "lab.toml: at `$.program[1].name`: a is there twice"),
        ('[[program]]\nname = "a"\ncommand = []', "lab.toml: at `$.program[0].command`: a has none"),
        (PROGRAM + "within = 0", "lab.toml: at `$.program[0].within`: 0.0 is no time to wait"),
        (PROGRAM + "within = nan", "lab.toml: at `$.program[0].within`: nan is no time to wait"),
        (PROGRAM + 'listen = ["tcp/1", "tcp/1"]', "lab.toml: at `$.program[0].listen`: a listens at tcp/1 too"),
        ("[", "lab.toml: "),
        ("name = '\udcff'", "lab.toml: not UTF-8 at byte 8"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, says: str) -> None:
    with pytest.raises(UsageError) as problem:
        parse_scenario(text.encode("utf-8", "surrogateescape"), "lab.toml")
    assert str(problem.value).startswith(says)
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "text",
    [
        "", "443", "sctp/443", "tcp/", "tcp/0", "tcp/65536", "tcp/+1", "tcp/a:1", "tcp/[::1:1", "tcp/::1:1", "tcp/[127.0.0.1]:1",
        "tcp/203.0.113.9",
    ],
)
def test_what_is_no_place_to_listen_at_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no place to listen at"):
        read_listen(text)


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("udp/[2001:DB8::0]:53", Listen("udp", "2001:db8::", 53)),
        ("tcp/0.0.0.0:80", Listen("tcp", None, 80)),
        ("tcp/[::]:80", Listen("tcp", None, 80)),
        ("tcp/80", Listen("tcp", None, 80)),
    ],
)
def test_a_place_to_listen_at_is_read(text: str, listen: Listen) -> None:
    assert read_listen(text) == listen


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.toml: No such file or directory"):
        load_scenario(tmp_path / "absent.toml")
