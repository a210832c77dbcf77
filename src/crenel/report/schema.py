"""The JSON that Crenel writes and reads, as JSON Schema: results of a check, and wall files."""

import msgspec

from crenel.atlas.moment import Moment
from crenel.atlas.schema import Profile
from crenel.net.trace import FlowReport
from crenel.report.result import CheckResult, RunHead

DIALECT = f"https://json-schema.org/draft/{2020}-12/schema"
"""The version of JSON Schema that is written; not a day, so it stands in two pieces."""

MEANINGS: dict[str, dict[str, str]] = {
    "FlowReport": {
        "capture": "path of the capture as given",
        "flow": "number of the flow in its capture, from 1",
        "transport": "what carries it",
        "client": "address of the end that opened it",
        "server": "address of the other end",
        "start": "time of its first packet: seconds since 1970 with nine decimals",
        "packets": "IP packets of both directions",
        "bytes": "bytes of those IP packets",
        "protocol": "what was read, whatever the port",
        "name": "first host or query name read",
        "names": "all names read, in order",
        "basis": "`example-list` when a name that is not a reserved one was only compared with Crenel's example lists",
        "complete": "was the start of the flow (a SYN or SYN/ACK) captured?",
        "verdict": "what this seeded run drew; decide by `chance` or `at_risk`",
        "at_risk": "chance > tolerate",
        "middlebox": "id of the first box that acted",
        "action": "reset, drop, forge, throttle or page",
        "residual": "true if only a residual entry hit this flow",
        "at_packet": "1-based index in the capture of the packet that triggered it",
        "chance": "probability over the tosses that some box acts on this flow alone, from empty memory",
        "triggers": "every box with ground to act, whether or not the draw made it act",
        "evidence": "what was read, by which rule, and who measured it",
    },
    "Evidence": {
        "read": "the protocol field, or `residual`",
        "offset": "byte in the client's stream (TCP) or in the datagram (UDP)",
        "value": "the value as the box saw it; hexadecimal where it is no text",
        "epoch": "first day of the epoch of the box that was in force",
        "sources": "ids in the atlas, each with a place in the work",
        "assumed": "what this rests on that nobody measured",
        "packet": "1-based index in the capture of the packet on which it was read",
        "last_observed": "last day on which the box was observed to work so",
        "residual": "the memory that was used, in words",
        "armed_by": "number of the flow that set that memory, or renewed it last",
    },
    "Trigger": {"acted": "did this run's draw make the box act?"},
    "CaptureSummary": {
        "packets": "records read",
        "undecoded": "frames that held no IP packet that could be read",
        "damaged": "what is wrong with the file, each with its place; empty for a sound one",
        "lost": "did the damage keep packets from being read?",
        "evictions": "flows and residual entries that were let go early because a table was full",
    },
    "RunHead": {
        "crenel": "version of Crenel",
        "schema": "version of this form",
        "wall_sha256": "hash of the wall file",
        "as_of": "day, or minute, in the wall's own time",
        "assume": "values taken instead of the profile's",
        "lists": "files taken instead of the profile's lists",
        "listed": "names treated as listed",
        "inside": "networks taken to stand behind the wall",
        "tolerate": "chance up to which a flow is not at risk",
        "captures": "what became of each capture that could be read, in the order given",
        "failed": "captures that could not be read at all",
    },
}
"""What fields mean, where their name does not say it."""


def result_schema() -> dict[str, object]:
    """Return the schema of everything that `check` writes: a flow, a head, or all in one object."""
    (result, head, flow), components = msgspec.json.schema_components((CheckResult, RunHead, FlowReport), ref_template="#/$defs/{name}")
    meanings_of = {**MEANINGS, "CheckResult": {**MEANINGS["RunHead"], "flows": "every flow of every capture"}}
    for name, meanings in meanings_of.items():
        for field, words in meanings.items():
            components[name]["properties"][field].setdefault("description", words)
    return {
        "$schema": DIALECT,
        "title": "Results of crenel check",
        "description": "--format json writes a CheckResult; --format jsonl a FlowReport per line, with --header after one line that is a RunHead.",
        "anyOf": [result, head, flow],
        "$defs": components,
    }


def wall_schema() -> dict[str, object]:
    """Return the schema of a wall file."""
    schema = msgspec.json.schema(Profile, schema_hook=_moment)
    return {"$schema": DIALECT, "title": "A wall of Crenel", **schema}


def _moment(kind: type) -> dict[str, object]:
    if kind is not Moment:
        raise NotImplementedError
    return {
        "type": "string",
        "description": "a TOML date, or date-time without offset, in the wall's own time",
        "pattern": r"^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?)?$",
    }
