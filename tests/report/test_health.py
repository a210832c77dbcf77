"""What machines can do, in lines: a remedy for what is missing, and none for what is not needed."""

from crenel.net.lab.doctor import judge
from crenel.report.health import health_lines
from crenel.report.layout import plain


def lines(**failures: str) -> list[str]:
    found = dict.fromkeys(("tun", "root", "user", "lab"), "") | failures
    return [plain(line) for line in health_lines(judge(found, []), 80)]


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    text = lines()
    assert text[0] == "TUN devices         yes  /dev/net/tun can be opened"
    assert text[-1] == "crenel run and the pytest fixture `lab` work here."


def test_what_is_not_needed_is_no_fault() -> None:
    text = lines(user="not permitted")
    assert any(line.startswith("user namespaces     no, and not needed") for line in text)
    assert not any("to enable" in line for line in text)


def test_what_is_missing_has_a_remedy() -> None:
    text = lines(tun="[Errno 2] No such file or directory", lab="no TUN")
    assert any(line.startswith("to enable TUN devices: as root, `modprobe tun`") for line in text)
    assert " ".join(text).endswith("work here all the same.")
