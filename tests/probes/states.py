"""Short scripts of what a client and a server could do to a box's state in, their packets out; the scripts decide every row of every table.

A script is words. Of the client: `S` its SYN, `S9` another with number 9000, `U` one with three bytes, `K` its SYN/ACK, `A` its ACK, `a` one
at a wrong place; `R` `X` `F` its RST, RST/ACK, FIN/ACK, `r` `r7` a RST at a wrong place; `f` `g` a FIN with five bytes, with ACK and without; `N`
three bytes without any flag, `J` junk at a wrong place, `j` junk with a wrong acknowledgement, `jF` `jS` `jR` `jX` the like with FIN, SYN, RST;
`Q` the request, where a number says at which place instead: `Q-1` `Q+3` relative to the next byte, `Q9001` absolute; `G` `V` `T` `n` `s` `v` the
request with FIN, SYN/ACK, RST/ACK, no flag, SYN, SYN/ACK at the place before; `b` its second half, `q` that with RST/ACK, `c` junk in its place,
`h` its first half. Of the server: `k` `m` its SYN/ACK right and wrong, `kl` `ml` with data, `Wk` `Wm` `Wl` with RST; `w` `wl` its SYN bare and
with data, `Ws` `wz` with RST; `W` `Wd` its RST bare and with data; `D` `d` `Dn` its data, its ACK, its data without any flag.
"""

import re
from collections.abc import Sequence

from crenel.wire.packet import ACK, FIN, PSH, RST, SYN
from tests.probes.flows import Ends, Shown, at

_NEXT, _SERVER = 1001, 5001


def act(script: str, ends: Ends, segments: Sequence[bytes], start: float = 0.0) -> list[Shown]:
    """Return the packets of a script in which the request is these segments; `fast` in front makes it short."""
    words = script.split()
    pace = 0.001 if words[0] == "fast" else 0.1
    steps = [(word, start + pace * number) for number, word in enumerate(words) if word != "fast"]
    return [shown for word, moment in steps for shown in _packets(word, ends, segments, moment)]


def _packets(word: str, ends: Ends, segments: Sequence[bytes], moment: float) -> list[Shown]:
    if word[0] == "Q":
        return _request(word, ends, segments, moment)
    whole = b"".join(segments)
    line = whole.find(b"\n") + 1
    # Commands are cut between lines: some boxes read each segment for itself.
    half = line if 0 < line < len(whole) and b" HTTP" not in whole else max(1, len(segments[0]) // 2)
    client: dict[str, tuple[int, int, int, bytes]] = {
        "S": (SYN, 1000, 0, b""), "S9": (SYN, 9000, 0, b""), "K": (SYN | ACK, 1000, _SERVER, b""), "U": (SYN, 1000, 0, b"xyz"),
        "A": (ACK, _NEXT, _SERVER, b""), "a": (ACK, 7000, _SERVER, b""), "R": (RST, _NEXT, 0, b""), "r": (RST, 7000, 0, b""),
        "r7": (RST, 777, 0, b""), "X": (RST | ACK, _NEXT, _SERVER, b""), "F": (FIN | ACK, _NEXT, _SERVER, b""),
        "f": (FIN | ACK, _NEXT, _SERVER, b"abcde"), "g": (FIN, _NEXT, 0, b"abcde"), "N": (0, _NEXT, 0, b"abc"), "J": (ACK, 7000, _SERVER, b"junk"),
        "j": (ACK, _NEXT, 777, whole[:3]), "G": (FIN | PSH | ACK, _NEXT, _SERVER, whole), "V": (SYN | ACK, _NEXT, _SERVER, whole),
        "T": (RST | ACK, _NEXT, _SERVER, whole), "n": (0, _NEXT, 0, whole), "s": (SYN, _NEXT, 0, whole),
        "jF": (FIN | ACK, _NEXT, 777, b"abc"), "jS": (SYN | ACK, _NEXT, 777, b"abc"), "jR": (RST | ACK, 7000, 777, b"abc"),
        "jX": (RST | FIN | ACK, 7000, _SERVER, b"abc"), "v": (SYN | ACK, 1000, _SERVER, whole),
        "q": (RST | ACK, _NEXT + half, _SERVER, whole[half:]), "b": (ACK, _NEXT + half, _SERVER, whole[half:]),
        "c": (ACK, _NEXT + half, _SERVER, b"#" * len(whole[half:])), "h": (ACK, _NEXT, _SERVER, whole[:half]),
    }
    server: dict[str, tuple[int, int, int, bytes]] = {
        "k": (SYN | ACK, 5000, _NEXT, b""), "m": (SYN | ACK, 5000, 777, b""), "kl": (SYN | ACK, 5000, _NEXT, b"load"),
        "ml": (SYN | ACK, 5000, 777, b"load"), "W": (RST, 0, 0, b""), "w": (SYN, 6000, 0, b""), "wl": (SYN, 6000, 0, b"load"),
        "D": (ACK, _SERVER, _NEXT, b"data"), "Wk": (RST | SYN | ACK, 5000, _NEXT, b""), "Wd": (RST | ACK, _SERVER, _NEXT, b"data"),
        "Dn": (0, _SERVER, 0, b"data"), "Wm": (RST | SYN | ACK, 5000, 777, b""), "Ws": (RST | SYN, 6000, 0, b""), "wz": (RST | SYN, 6000, 0, b"load"),
        "d": (ACK, _SERVER, _NEXT, b""), "Wl": (RST | SYN | ACK, 5000, _NEXT, b"load"),
    }
    side_packet = ends.from_client(*client[word]) if word in client else ends.from_server(*server[word])
    return [(at(moment), *side_packet)]


def _request(word: str, ends: Ends, segments: Sequence[bytes], moment: float) -> list[Shown]:
    where = re.fullmatch(r"Q([-+]?)(\d*)", word)
    assert where, word
    seq = _NEXT + int(where[1] + where[2]) if where[1] else int(where[2] or _NEXT)
    shown: list[Shown] = []
    for number, segment in enumerate(segments):
        shown.append((at(moment + 0.0001 * number), *ends.from_client(PSH | ACK, seq, _SERVER, segment)))
        seq += len(segment)
    return shown


SCRIPTS = (
    "S k A Q", "S r S T Q1000 S9 Q9001", "S D ml Q", "S A G X Q777 S Q9001", "S k A j n ml Q777", "S m wl A Q777", "S k A T X X Q7004", "S D m Q",
    "S G Wm A Q1000", "k A N U h b S Q9001", "S m k Q-1", "S X A b h", "S wl Q7004", "S k S Dn A Q7004", "S D Wm Q-1", "S k A T S9 A b h",
    "S k A jF Q", "S k k A b h S Q", "S m w Q-1", "k s N Q9001", "S D kl Q-1", "S D k Q-1", "S Wd b c h", "S k J j G Q1000", "S k S9 W r Q-1",
    "k A g g m Q-1", "S k wl d A Q7000", "S R k Q-1", "A f k b h", "S m Wk Q-1", "S k A jR Q", "Wk V A b h", "S k N Wm Q", "S k U m A Q",
    "S V T A Q9001", "S A s", "n Q+5", "S A n Q", "S W k Q-1", "A wl A b h", "S wl kl Q-1", "S wl k Q-1", "S k k k Q-1", "S D Wl Q-1", "S A v",
    "S v", "S A q h", "S k jX R Q", "fast S A Q S9 Q9001", "fast S A Q s",
)
"""Enough of them that every value of every state model decides something; found by trying many, and the shortest kept."""
