"""The JSON that Crenel writes and reads, as JSON Schema: results of checks and tries, and wall files."""

import msgspec

from crenel.atlas.moment import Moment
from crenel.atlas.schema import Profile
from crenel.net.trace import FlowReport
from crenel.report.exchange import ExchangeReport
from crenel.report.result import CheckResult, RunHead, TryHead, TryResult
from crenel.report.run import RunFlow, RunOfHead, RunOfResult

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
        "packet": "1-based index, in the capture or among the events, of the packet on which it was read; 0: it never came",
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
    "ExchangeReport": {
        "target": "as it was asked for",
        "as_of": "day, or minute, in the wall's own time",
        "start": "when the client began: seconds since 1970 with nine decimals",
        "transport": "what carries it",
        "protocol": "what was read of what the client sent, whatever the port",
        "name": "first host or query name read",
        "names": "all names read, in order",
        "basis": "`example-list` when a name that is not a reserved one was only compared with Crenel's example lists",
        "outcome": "what became of it for the client, as this seeded run drew it",
        "verdict": "the same in the words of a flow: blocked where the outcome is blocked or tampered, undetermined where it failed without the wall",
        "at_risk": "chance > tolerate",
        "middlebox": "id of the first box that acted",
        "action": "reset, drop, forge, throttle or page",
        "residual": "true if boxes acted only because of what they remembered",
        "chance": "probability over the tosses that some box acts on this exchange alone, from empty memory",
        "triggers": "every box with ground to act, whether or not the draw made it act",
        "evidence": "what was read, by which rule, and who measured it",
        "experience": "what the client's application went through",
        "answers": "what the client was answered, by time",
        "rate": "how often repetitions of it were blocked; null where there were none",
        "events": "every packet at every place where it was seen, by time",
    },
    "Went": {
        "ending": "how the conversation ended for the client",
        "time": "nanoseconds from the beginning to that end",
        "says": "the same in a clause",
    },
    "Answer": {
        "time": "nanoseconds since the exchange began",
        "says": "the answer in a few words",
        "intact": "is it what the server says to this client?",
        "forged_by": "id of the box that made it",
    },
    "TryRate": {
        "trials": "repetitions, the one that is shown among them",
        "blocked": "how many of them were blocked or tampered with",
        "value": "their share",
        "low": "lower end of its interval of 95 % (Wilson)",
        "high": "upper end",
    },
    "PacketEvent": {
        "time": "nanoseconds since the exchange began",
        "number": "the same for a packet wherever it is seen",
        "what": "what happened to it there",
        "where": "client, server, the name of a wall, the id of a middlebox, a hop, or path",
        "sender": "who really sent it, whatever its addresses say",
        "injected_by": "id of the box that made it",
        "dropped_by": "id of the box that withheld it",
        "cause": "number of the packet that drew it; 0: none",
        "reason": "why it ended, or began other than by being sent",
        "says": "what it is, in a few words",
        "flags": "letters of its TCP flags",
        "length": "bytes of payload",
    },
    "TryHead": {
        "crenel": "version of Crenel",
        "schema": "version of this form",
        "wall_sha256": "hash of the wall file",
        "as_of": "day, or minute, in the wall's own time; each exchange says its own",
        "assume": "values taken instead of the profile's",
        "lists": "files taken instead of the profile's lists",
        "listed": "names treated as listed",
        "tolerate": "chance up to which an exchange is not at risk",
    },
}
"""What fields mean, where their name does not say it."""


_RUN = {
    "as_of": "day, or minute, in the wall's own time",
    "tolerate": "chance up to which a flow is not at risk",
    "command": "the program and its arguments",
    "status": "its exit status; of a signal, the number below zero; null where it was ended because its time was up",
    "passed": "is no flow at risk, and was none blocked by what the wall remembered from before?",
    "problems": "why not all of this can be relied on, in sentences",
    "notes": "what this machine could not give the lab, in sentences",
    "untold": "packets that were too many to be told of",
}
_RUN_FLOW = {
    "capture": "path of the capture that --pcap wrote; empty without one",
    "at_packet": "1-based index in that capture of the packet that triggered it",
    "verdict": "blocked where the outcome is blocked or tampered, undetermined where it failed without the wall",
    "outcome": "what became of it for the client, as far as packets show",
    "experience": "what the client went through",
    "answers": "what the client was answered, by time",
    "misled_by": "id of the box whose forged answer sent the client to this address",
    "events": "every packet of the flow at every place where it was seen, by time",
}


def result_schema() -> dict[str, object]:
    """Return the schema of everything that `check`, `try` and `run` write: a flow or an exchange, a head, or all in one object."""
    kinds = (CheckResult, RunHead, FlowReport, TryResult, TryHead, ExchangeReport, RunOfResult, RunOfHead, RunFlow)
    forms, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    meanings_of = {
        **MEANINGS,
        "CheckResult": {**MEANINGS["RunHead"], "flows": "every flow of every capture"},
        "TryResult": {**MEANINGS["TryHead"], "exchanges": "every exchange, by date and then in their order"},
        "RunOfHead": {**MEANINGS["TryHead"], **_RUN},
        "RunOfResult": {**MEANINGS["TryHead"], **_RUN, "flows": "every flow of the command, by their first packets"},
        "RunFlow": {**MEANINGS["FlowReport"], **_RUN_FLOW},
    }
    for name, meanings in meanings_of.items():
        for field, words in meanings.items():
            components[name]["properties"][field].setdefault("description", words)
    return {
        "$schema": DIALECT,
        "title": "Results of crenel check, crenel try and crenel run",
        "description": (
            "check --format json writes a CheckResult, --format jsonl a FlowReport per line, with --header after one line that is a RunHead; "
            "try writes a TryResult, an ExchangeReport per line, and a TryHead; run a RunOfResult, a RunFlow per line, and a RunOfHead."
        ),
        "anyOf": list(forms),
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
