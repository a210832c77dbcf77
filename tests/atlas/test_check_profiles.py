"""A small sound profile with one thing made wrong in; a refusal in one sentence that names file and place out."""

from pathlib import Path

import pytest

from crenel.atlas.load import load_profile
from crenel.errors import ProfileError
from tests.net.made import HEAD, QUERY, box

REMEMBERS = """residual = { tuple = ["client", "server"], seconds = 90, refresh = false, from = "both", on = "any", does = "reset", \
chances = [0.5, 1.0], onset = { fixed = 0 } }
  other_device = { tcb = "plain", share = 0.5 }"""
ALTERNATIVE = """
  [[middlebox.epoch.alternative]]
  key = "residual.seconds"
  name = "60"
  value = 60
  sources = ["made-up"]
  says = "less in another study"
"""
ANSWER = """answer = { flags_rd0 = 0, flags_rd1 = 0, record_ttl = { fixed = 60 }, owner = "copy", pool = "pool", order = "cyclic", df = false, \
ip_id = { fixed = 0 }, ttl = { fixed = 64 }, delay = { fixed = 1 } }"""
IP = 'reads = "ip.address", list = "addresses", side = "server", packets = ["syn"]'
CURVE = f'by_hour = {{ here = [{", ".join(["0.5"] * 24)}] }}, city = "here", per = "flow"'
LISTS = """
[list.pool]
title = "Answers"
kind = "pool"
sources = ["made-up"]
size = 3
fill = "198.18.0.0/15"
entries = [{ name = "192.0.2.1", source = "made-up" }]

[list.addresses]
title = "Addresses"
kind = "addresses"
sources = ["made-up"]
entries = [{ name = "203.0.113.66", form = "exact", source = "made-up" }]
"""
SOUND = "".join((
    HEAD,
    box("memory", more=REMEMBERS) + ALTERNATIVE,
    box("dns", transport="udp", tcb=None, trigger=QUERY, reaction=ANSWER, chance=CURVE),
    box("ip", tcb=None, trigger=IP, placement="in-path", reaction="withhold = true"),
    LISTS,
))  # fmt: skip
EPOCH = "middlebox 'memory', epoch 2000-01-01"


def load(folder: Path, text: str) -> str:
    """Return what is said of a profile, without the file's name, or nothing."""
    path = folder / "made.toml"
    path.write_text(text, "utf-8")
    try:
        load_profile(str(path))
    except ProfileError as error:
        file, colon, rest = str(error).partition(": ")
        assert (file, colon) == (str(path), ": ")
        assert "\n" not in rest
        return rest
    return ""


def test_the_profile_is_sound_as_it_stands(tmp_path: Path) -> None:
    assert load(tmp_path, SOUND) == ""


CHANGES = {
    "two boxes of one name": ('id = "dns"', 'id = "memory"', "middlebox 'memory': stands there twice"),
    "unknown source": ('confidence = "low"\n  sources = ["made-up"]', 'confidence = "low"\n  sources = ["nobody"]',
                       f"{EPOCH}: source 'nobody' is not known"),
    "unknown source with a place": ('confidence = "low"\n  sources = ["made-up"]', 'confidence = "low"\n  sources = ["nobody:table-1"]',
                                    f"{EPOCH}: source 'nobody:table-1' is not known"),
    "no source": ('confidence = "low"\n  sources = ["made-up"]', 'confidence = "low"\n  sources = []', f"{EPOCH}: has no source"),
    "unknown source of an alternative": ('value = 60\n  sources = ["made-up"]', 'value = 60\n  sources = ["nobody"]',
                                         f"{EPOCH}, alternative residual.seconds: source 'nobody' is not known"),
    "unknown source of a table": ('title = "A SYN, an ACK, then data"\nsources = ["made-up"]', 'title = "x"\nsources = ["nobody"]',
                                  "tcb.plain: source 'nobody' is not known"),
    "unknown source of a row": ('do = "track"\nsources = ["made-up"]', 'do = "track"\nsources = ["nobody"]',
                                "tcb.plain, row 1: source 'nobody' is not known"),
    "a row without a source": ('do = "read"\nsources = ["made-up"]', 'do = "read"',
        "tcb.plain, row 3: has neither a source nor an `assumed` sentence"),
    "unknown source of a list": ('kind = "names"\nsources = ["made-up"]', 'kind = "names"\nsources = ["nobody"]',
                                 "list.names: source 'nobody' is not known"),
    "a list without a source": ('kind = "names"\nsources = ["made-up"]', 'kind = "names"\nsources = []',
                                "list.names: has neither a source nor an `assumed` sentence"),
    "unknown source of an entry": ('form = "exact", source = "made-up"', 'form = "exact", source = "nobody"',
                                   "list.addresses, entry '203.0.113.66': source 'nobody' is not known"),
    "unknown source of a vantage": ('name = "beijing"', 'name = "beijing"\nsources = ["nobody"]', "vantage beijing: source 'nobody' is not known"),
    "last before first": ("last_seen = 2030-01-01", "last_seen = 1999-12-31", f"{EPOCH}: last_seen 1999-12-31 is before first_seen"),
    "ended before last": ("last_seen = 2030-01-01", "last_seen = 2030-01-01\n  ended = 2029-12-30",
                          f"{EPOCH}: ended 2029-12-30 is before last_seen 2030-01-01"),
    "no epoch": ('[[middlebox]]\nid = "memory"',
                 '[[middlebox]]\nid = "none"\ntitle = "x"\nplacement = "on-path"\nepoch = []\n[[middlebox]]\nid = "memory"',
                 "middlebox 'none': has no epoch"),
    "no such table": ('tcb = "plain"\n', 'tcb = "other"\n', f"{EPOCH}: there is no tcb.other"),
    "no such table of another device": ('{ tcb = "plain", share', '{ tcb = "other", share', f"{EPOCH}: there is no tcb.other"),
    "no such list": ('list = "names", walks', 'list = "other", walks', f"{EPOCH}: there is no list.other"),
    "a pool for names": ('list = "names", walks', 'list = "pool", walks', f"{EPOCH}: list.pool holds pool, not names or keywords"),
    "names for addresses": ('list = "addresses"', 'list = "names"', "middlebox 'ip', epoch 2000-01-01: list.names holds names, not addresses"),
    "names for a pool": ('pool = "pool"', 'pool = "names"', "middlebox 'dns', epoch 2000-01-01: list.names holds names, not pool"),
    "no such second pool": ('pool = "pool"', 'pool = "pool", pool6 = "six"', "middlebox 'dns', epoch 2000-01-01: there is no list.six"),
    "both chances": ('per = "flow" }\n  reaction = { inject', 'per = "flow", by_hour = {} }\n  reaction = { inject',
                     f"{EPOCH}: chance gives exactly one of p and by_hour"),
    "no chance": ('p = 0.5, per = "flow"', 'per = "flow"', f"{EPOCH}: chance gives exactly one of p and by_hour"),
    "a short curve": (f"[{', '.join(['0.5'] * 24)}]", f"[{', '.join(['0.5'] * 23)}]",
                      "middlebox 'dns', epoch 2000-01-01, chance.by_hour.here: has 23 values, not 24"),
    "a long curve": (f"[{', '.join(['0.5'] * 24)}]", f"[{', '.join(['0.5'] * 25)}]",
                     "middlebox 'dns', epoch 2000-01-01, chance.by_hour.here: has 25 values, not 24"),
    "a curve of no city": ('city = "here"', 'city = "there"',
        "middlebox 'dns', epoch 2000-01-01: chance.city must name one of the curves of chance.by_hour"),
    "p above 1": ('p = 0.5, per = "flow"', 'p = 1.001, per = "flow"', f"{EPOCH}, chance.p: 1.001 is not a probability"),
    "p below 0": ('p = 0.5, per = "flow"', 'p = -0.001, per = "flow"', f"{EPOCH}, chance.p: -0.001 is not a probability"),
    "p is no number": ('p = 0.5, per = "flow"', 'p = nan, per = "flow"', f"{EPOCH}, chance.p: nan is not a probability"),
    "an hour above 1": ("[0.5, 0.5,", "[0.5, 1.5,", "middlebox 'dns', epoch 2000-01-01, chance.by_hour.here: 1.5 is not a probability"),
    "a remembered chance above 1": ("chances = [0.5, 1.0]", "chances = [0.5, 2.0]", f"{EPOCH}, residual.chances: 2.0 is not a probability"),
    "a share above 1": ("share = 0.5", "share = 1.5", f"{EPOCH}, other_device.share: 1.5 is not a probability"),
    "joins above 1": ("reassembles = { tcp = 1.0 }", "reassembles = { tcp = 1.5 }", f"{EPOCH}, reassembles.tcp: 1.5 is not a probability"),
    "keeps newer above 1": ("keeps_newer = 0.0", "keeps_newer = 1.5", "tcb.plain, keeps_newer: 1.5 is not a probability"),
    "on-path boxes cannot withhold": ('placement = "in-path"', 'placement = "on-path"',
                                      "middlebox 'ip', epoch 2000-01-01: an on-path box sees a copy: it cannot withhold or throttle"),
    "on-path boxes cannot throttle": (
        'placement = "in-path"', 'placement = "on-path"',
        "middlebox 'ip', epoch 2000-01-01: an on-path box sees a copy: it cannot withhold or throttle",
        "withhold = true", 'throttle = { bytes_per_second = 1, burst = 1, toward = "both" }',
    ),
    "a state model over UDP": ('transport = "tcp"', 'transport = "udp"', f"{EPOCH}, tcb: only a box that reads payloads over TCP has a state model"),
    "another device without a model": ('tcb = "plain"\n  reassembles', "reassembles", f"{EPOCH}, other_device: needs a state model"),
    "joins without a model": ('tcb = "plain"\n  reassembles', "reassembles", f"{EPOCH}, reassembles: needs a state model",
                              '\n  other_device = { tcb = "plain", share = 0.5 }', ""),
    "first datagrams of TCP": ("share = 0.5 }", "share = 0.5 }\n  first_only = { datagrams = 1, seconds = 60 }",
        f"{EPOCH}, first_only: speaks of datagrams"),
    "an empty pool": ('fill = "198.18.0.0/15"\nentries = [{ name = "192.0.2.1", source = "made-up" }]', "",
                      "list.pool: a pool needs entries or a network to fill it from"),
    "a pool filled from no network": ('"198.18.0.0/15"', '"198.18.0.0/40"',
        "list.pool, fill: '198.18.0.0/40' does not appear to be an IPv4 or IPv6 network"),
    "a pool filled from hosts": ('"198.18.0.0/15"', '"198.18.0.1/15"', "list.pool, fill: 198.18.0.1/15 has host bits set"),
    "an unknown key": ("utc_offset = 0", "utc_offset = 0\nfrob = 1", "Object contains unknown field `frob`"),
    "an unknown key of a box": ('title = "dns"', 'title = "dns"\nfrob = 1', "Object contains unknown field `frob` - at `$.middlebox[1]`"),
    "an unknown key of an epoch": ("  last_seen =", "  frob = 1\n  last_seen =",
        "Object contains unknown field `frob` - at `$.middlebox[0].epoch[0]`"),
    "an unknown key of a reader": ("depth = 8192", "depth = 8192, frob = 1",
                                   "Object contains unknown field `frob` - at `$.middlebox[0].epoch[0].trigger`"),
    "an unknown key of a template": ("copies = 1", "copies = 1, frob = 1",
                                     "Object contains unknown field `frob` - at `$.middlebox[0].epoch[0].reaction.inject[0]`"),
    "an unknown key of a residual": ("seconds = 90", "seconds = 90, frob = 1",
        "Object contains unknown field `frob` - at `$.middlebox[0].epoch[0].residual`"),
    "an unknown key of a limit": ("flows = 1000", "flows = 1000\nfrob = 1", "Object contains unknown field `frob` - at `$.limits`"),
    "an unknown key of an entry": ('form = "exact"', 'form = "exact", frob = 1',
        "Object contains unknown field `frob` - at `$.list[...].entries[0]`"),
    "an unknown form": ('form = "exact"', 'form = "middle"', "Invalid enum value 'middle' - at `$.list[...].entries[0].form`"),
    "an unknown reader": ('reads = "dns.qname"', 'reads = "dns.mood"', "Invalid value 'dns.mood' - at `$.middlebox[1].epoch[0].trigger.reads`"),
    "another format": ("format = 1", "format = 2", "Invalid enum value 2 - at `$.format`"),
    "limits without a reason": ('assumed = "made up"\n\n[[vantage]]', "\n[[vantage]]", "Object missing required field `assumed` - at `$.limits`"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", CHANGES)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, wrong: str) -> None:
    old, new, sentence, *more = CHANGES[wrong]
    assert old in SOUND
    text = SOUND.replace(old, new, 1)
    if more:
        assert more[0] in text
        text = text.replace(more[0], more[1], 1)
    assert load(tmp_path, text) == sentence


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('p = 0.5, per = "flow"', 'p = 0, per = "flow"'), ('p = 0.5, per = "flow"', 'p = 1, per = "flow"'),
        ("last_seen = 2030-01-01", "last_seen = 2000-01-01"), ("last_seen = 2030-01-01", "last_seen = 2030-01-01\n  ended = 2030-01-01"),
        ('do = "read"\nsources = ["made-up"]', 'do = "read"\nassumed = "made up"'), ("chances = [0.5, 1.0]", "chances = [0.0, 1.0]"),
        ('kind = "names"\nsources = ["made-up"]', 'kind = "names"\nsources = []\nassumed = { all = "made up" }'),
        ('sources = ["made-up"]', 'sources = ["made-up:section-3"]'), ('sources = ["made-up"]', 'sources = ["rfc6761"]'),
        ('fill = "198.18.0.0/15"', ""), ('entries = [{ name = "192.0.2.1", source = "made-up" }]', ""),
    ],
)  # fmt: skip
def test_what_lies_just_within_the_bounds_is_taken(tmp_path: Path, old: str, new: str) -> None:
    assert old in SOUND
    assert load(tmp_path, SOUND.replace(old, new, 1)) == ""


def two_epochs(*spans: str) -> str:
    """Return a profile whose box has an epoch for each span."""
    head, epoch = box("a").split("  [[middlebox.epoch]]", 1)
    span = "first_seen = 2000-01-01\n  last_seen = 2030-01-01"
    return HEAD + head + "".join("  [[middlebox.epoch]]" + epoch.replace(span, one) for one in spans)


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ("first_seen = 2000-01-01\n  last_seen = 2000-02-01", "first_seen = 2000-02-02\n  last_seen = 2000-03-01", False),
        ("first_seen = 2000-01-01\n  last_seen = 2000-02-01", "first_seen = 2000-02-01\n  last_seen = 2000-03-01", True),
        ("first_seen = 2000-01-01\n  last_seen = 2000-02-01", "first_seen = 2000-01-15\n  last_seen = 2000-03-01", True),
        ("first_seen = 2000-01-01\n  last_seen = 2000-02-01", "first_seen = 2000-01-01\n  last_seen = 2000-03-01", True),
        ("first_seen = 2000-01-01\n  last_seen = 2000-01-05\n  ended = 2000-02-01", "first_seen = 2000-02-01\n  last_seen = 2000-03-01", True),
        ("first_seen = 2000-01-01\n  last_seen = 2000-01-05\n  ended = 2000-02-01", "first_seen = 2000-02-02\n  last_seen = 2000-03-01", False),
        (
            "first_seen = 2000-01-01\n  last_seen = 2000-01-05T12:00:00\n  ended = 2000-01-05T12:00:00",
            "first_seen = 2000-01-05T12:01:00\n  last_seen = 2000-03-01", False,
        ),
        (
            "first_seen = 2000-01-01\n  last_seen = 2000-01-05T12:00:00\n  ended = 2000-01-05T12:00:00",
            "first_seen = 2000-01-05T11:59:00\n  last_seen = 2000-03-01", True,
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_epochs_of_one_box_do_not_overlap(tmp_path: Path, first: str, second: str, overlap: bool, turned: bool) -> None:
    said = load(tmp_path, two_epochs(*((second, first) if turned else (first, second))))
    same = first.split()[2] == second.split()[2]
    begins = [one.split()[2].removesuffix(":00") for one in ((second, first) if turned and same else (first, second))]
    assert said == (f"middlebox 'a': the epochs of {begins[0]} and {begins[1]} overlap" if overlap else "")


def test_epochs_of_two_boxes_may(tmp_path: Path) -> None:
    assert load(tmp_path, HEAD + box("a") + box("b")) == ""
