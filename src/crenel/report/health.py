"""What a machine can do of a lab in, a line for each finding with its remedy out."""

from crenel.net.lab.doctor import Health
from crenel.report.layout import BLANK, Line, Piece, columns, paragraph

_TITLES = {
    "system": "Linux",
    "tun": "TUN devices",
    "root-namespaces": "namespaces as root",
    "user-namespaces": "user namespaces",
    "lab": "a lab",
}
_NEEDED = {"root-namespaces", "user-namespaces"}
"""One of these is enough."""


def health_lines(health: Health, width: int | None) -> list[Line]:
    """Return what can be done, then how to enable what is missing."""
    rows: list[list[Piece]] = []
    for one in health.findings:
        spare = not one.able and health.able and one.name in _NEEDED
        word: Piece = ("yes", "good") if one.able else ("no, and not needed", "dim") if spare else ("no", "bad")
        rows.append([(_TITLES.get(one.name, one.name), "strong"), word, (one.says, "")])
    lines = columns(rows, width)
    for one in health.findings:
        if not one.able and one.remedy:
            lines += [BLANK, *paragraph(one.remedy, width, label=f"to enable {_TITLES.get(one.name, one.name)}: ", hang=2)]
    if health.able:
        lines += [BLANK, *paragraph("crenel run and the pytest fixture `lab` work here.", width, tone="good")]
    else:
        text = "crenel check and crenel try, and the pytest fixture `wall`, work here all the same."
        lines += [BLANK, *paragraph(text, width)]
    return lines
