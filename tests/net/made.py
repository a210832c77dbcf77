"""A few words about each box in, a wall with just these boxes out, for tests that want to know every probability."""

from pathlib import Path

from crenel.atlas.compile import load_wall
from crenel.wall.wall import Wall

HEAD = """
format = 1
name = "made"
title = "A wall made for tests"
utc_offset = 0

[limits]
flows = 1000
residual_entries = 1000
stream_bytes = 65536
assumed = "made up"

[[vantage]]
from = 2000-01-01
name = "beijing"
assumed = "made up"

[source.made-up]
title = "Nobody measured this"
authors = "tests"
read = "full"
confidence = "low"

[list.names]
title = "Names"
kind = "names"
sources = ["made-up"]
entries = [{ name = "blocked.example", form = "suffix", source = "made-up" }, { name = "other.example", form = "suffix", source = "made-up" }]

[tcb.plain]
title = "A SYN, an ACK, then data"
sources = ["made-up"]
ahead = 65535
keeps_newer = 0.0
[[tcb.plain.row]]
in = ["none", "off"]
from = "client"
has = "S"
lacks = "AR"
do = "track"
sources = ["made-up"]
[[tcb.plain.row]]
in = ["opening"]
from = "client"
has = "A"
lacks = "FRS"
do = "complete"
go-on = true
sources = ["made-up"]
[[tcb.plain.row]]
in = ["open"]
from = "client"
has = "A"
lacks = "FRS"
load = true
do = "read"
sources = ["made-up"]
"""

BOX = """
[[middlebox]]
id = "{id}"
title = "{id}"
placement = "{placement}"
  [[middlebox.epoch]]
  first_seen = 2000-01-01
  last_seen = 2030-01-01
  confidence = "low"
  sources = ["made-up"]
  scope = {{ transport = "{transport}", versions = [4, 6], opened_from = ["inside", "outside"] }}
  trigger = {{ {trigger} }}
  {more}
  chance = {{ {chance} }}
  reaction = {{ {reaction} }}
"""

REQUEST = (
    'reads = "http.host", list = "names", walks = [{walks}], methods = ["GET"], blanks_after_method = 1, targets = ["/"], '
    "depth = 8192, drops_port = true"
)
QUERY = 'reads = "dns.qname", list = "names", longest_name = 125, qclass = 0'
WALK = '{{ title = "{title}", line_end = "{ends}", blanks_before_colon = true, share = {share} }}'
RESET = (
    'inject = [{ flags = "R", copies = 1, toward = ["client", "server"], seq = [0], ack = "zero", df = false, '
    "ip_id = { fixed = 0 }, ttl = { fixed = 64 }, window = { fixed = 0 }, delay = { fixed = 1 } }]"
)


def box(
    name: str,
    *,
    trigger: str = REQUEST.format(walks=WALK.format(title="one", ends="lf", share=1.0)),
    chance: str = 'p = 0.5, per = "flow"',
    reaction: str = RESET,
    transport: str = "tcp",
    tcb: str | None = "plain",
    placement: str = "on-path",
    more: str = "",
) -> str:
    """Return the text of a box; over TCP it joins segments."""
    model = f'tcb = "{tcb}"\n  reassembles = {{ tcp = 1.0 }}\n  ' if tcb is not None else ""
    return BOX.format(
        id=name, placement=placement, transport=transport, trigger=trigger, more=model + more, chance=chance, reaction=reaction,
    )


def wall_with(folder: Path, *parts: str, seed: int = 0) -> Wall:
    """Return a wall with these boxes and tables, from a file that is written to a folder."""
    path = folder / "made.toml"
    path.write_text(HEAD + "".join(parts), "utf-8")
    return load_wall(str(path), as_of="2020-01-01", seed=seed)
