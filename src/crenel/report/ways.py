"""A box and the flow that it had ground to act on in, what would have let that flow through out, derived from the box's own parameters.

Each sentence follows from what the box was measured to read and not to read; none is advice, and none says that both ends would
still understand each other.
"""

from collections.abc import Iterator

from crenel.net.trace import Evidence, FlowReport
from crenel.report.text import counted, either, listed, percent
from crenel.wall.box import ANY_PORT, Box
from crenel.wall.match import NameList
from crenel.wall.readers.command import FtpCommand, SmtpAddress
from crenel.wall.readers.dns import DnsQname
from crenel.wall.readers.encrypted import RandomLooking
from crenel.wall.readers.header import IpAddress, TcpPort
from crenel.wall.readers.http import HttpHost, HttpKeyword
from crenel.wall.readers.quic import QuicSni
from crenel.wall.readers.tls import TlsExtension, TlsSni


def ways_past(box: Box, flow: FlowReport, evidence: Evidence) -> list[str]:
    """Return what would have let a flow pass a box, one clause each."""
    if evidence.residual is not None:
        return list(_past_memory(box))
    return [*past_reader(box, flow), *_past_scope(box, flow), *_past_reassembly(box)]


def _past_memory(box: Box) -> Iterator[str]:
    residual = box.residual
    if residual is None:
        return
    until = "after the last packet that it hit" if residual.refresh else "after the flow that set it"
    yield f"{residual.seconds:g} s of patience {until}"
    parts = [part.replace("_", " ") for part in residual.parts]
    yield f"another {either(parts)}"


def list_words(box: Box) -> str | None:
    """Return the list of a box that compares names, with its size here; None for any other box."""
    if not isinstance(box.names, NameList) or box.facts.list_name is None:
        return None
    if any(entry.form == "any" for entry in box.names.entries):
        return f"{box.facts.list_name} (here every name)"
    return f"{box.facts.list_name} ({counted(len(box.names.entries), 'entry', 'entries')} here)"


def _past_scope(box: Box, flow: FlowReport) -> Iterator[str]:
    scope = box.scope
    for version in {4, 6} - set(scope.versions) - set(scope.versions_from_outside or ()):
        yield f"the same over IPv{version}, which it does not watch"
    if scope.ports != ANY_PORT:
        yield f"another server port: it watches {listed([_range(*ports) for ports in scope.ports])}"
    if scope.source_port_above:
        yield f"a source port that is not above the server's, {flow.server_port}; this one was {flow.client_port}"
    if box.first_only is not None:
        number = box.first_only.datagrams
        what = "only the first datagram of a flow is" if number == 1 else f"only the first {number} datagrams of a flow are"
        yield f"any datagram before it: {what} read, until {box.first_only.seconds:g} s of silence"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _past_reassembly(box: Box) -> Iterator[str]:
    if box.scope.transport != "tcp" or hasattr(box.reader, "read_header") or isinstance(box.reader, RandomLooking) or box.joins == 1.0:
        return
    share = "" if box.joins == 0.0 else f", for the {percent(1.0 - box.joins)} of hosts for which it does not join them"
    yield f"what it reads in more than one segment{share}"
    if isinstance(box.reader, FtpCommand | SmtpAddress) and box.reader.first_line_whole:
        yield f"a first segment that does not end a line{share}"


def past_reader(box: Box, flow: FlowReport) -> Iterator[str]:
    """Yield what the reader of a box does not follow, as far as its parameters say."""
    match box.reader:
        case TlsSni() | TlsExtension() as reader:
            yield from _past_tls(reader)
        case HttpHost() | HttpKeyword() as reader:
            yield from _past_http(reader)
        case DnsQname() as reader:
            yield from _past_dns(reader, flow)
        case QuicSni() as reader:
            yield from _past_quic(reader)
        case RandomLooking() as reader:
            yield from _past_encrypted(reader)
        case FtpCommand() | SmtpAddress() as reader:
            yield f"another command than {listed(reader.verbs)}"
        case IpAddress() as reader:
            yield f"another {reader.side} address or, where the list names one, another port"
        case TcpPort() as reader:
            yield f"another server port than {listed([str(port) for port in reader.ports])}"
        case _:
            return


def _past_tls(reader: TlsSni | TlsExtension) -> Iterator[str]:
    if isinstance(reader, TlsExtension):
        yield f"a ClientHello without extension {reader.number:#06x}"
    if reader.records == 1:
        yield "a TLS record boundary anywhere inside the ClientHello: it reads one record"
    else:
        yield f"a ClientHello in more than {reader.records} TLS records"
    if reader.shortest_first is not None:
        yield f"a first segment of fewer than {counted(reader.shortest_first, 'byte')}"


def _past_http(reader: HttpHost | HttpKeyword) -> Iterator[str]:
    yield f"more than {counted(reader.blanks_after_method, 'blank')} between method and target"
    yield f"a method other than {listed(reader.methods)}"
    yield f"a target that begins otherwise than with {either(reader.targets)}"
    if isinstance(reader, HttpHost) and reader.header_name_limit is not None:
        yield f"a header name of {counted(reader.header_name_limit, 'byte')} or more before Host"
    if isinstance(reader, HttpKeyword):
        if reader.parameter_limit is not None:
            yield f"a query parameter of {counted(reader.parameter_limit, 'byte')} or more before the keyword"
        if reader.uri_depth is not None:
            yield f"{counted(reader.uri_depth, 'byte')} of target before the keyword"
        if not reader.percent:
            yield "a percent escape inside the keyword: it does not decode them"
    if reader.opening is not None:
        yield f"a first segment of at most {counted(reader.opening.short, 'byte')}, and then one without {reader.opening.token}"


def _past_dns(reader: DnsQname, flow: FlowReport) -> Iterator[str]:
    yield f"a name that goes on past {counted(reader.longest_name, 'character')}: what follows is not seen"
    if reader.qtypes:
        yield f"another query type than {listed([str(kind) for kind in reader.qtypes])}"
    if reader.question_counts:
        yield f"a header that announces another number of questions than {listed([str(count) for count in reader.question_counts])}"
    if reader.other_records is not None:
        yield f"a header that announces more than {counted(reader.other_records, 'further record')}"
    if flow.transport == "tcp":
        yield f"a message of more than {counted(reader.longest_message, 'byte')}"


def _past_quic(reader: QuicSni) -> Iterator[str]:
    yield f"a QUIC version other than {reader.version}"
    if reader.crypto_first:
        yield "a PING or PADDING frame, or a later part of the hello, before the hello's beginning"
    yield f"the server name in a later CRYPTO frame than number {reader.crypto_frames} of the Initial"
    yield "the server name in a later datagram: it joins none"


def _past_encrypted(reader: RandomLooking) -> Iterator[str]:
    first, last = reader.printable
    yield f"printable bytes ({first:#x} to {last:#x}) in the first {reader.leading} places"
    yield f"more than {reader.run} printable bytes in a row"
    yield f"printable bytes for more than {reader.printable_share[0]} in {reader.printable_share[1]}"
    low, high = (ratio[0] / ratio[1] for ratio in (reader.bits_low, reader.bits_high))
    yield f"at most {low:g} or at least {high:g} bits set in a byte on average"
    starts = [f"bytes {prefix}" for prefix in reader.prefix_bytes] + [repr(prefix) for prefix in reader.prefix_text]
    if starts:
        yield f"a beginning with {either(starts)}"
