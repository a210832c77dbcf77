"""The walls' own readers: payloads or headers in, what a middlebox would see in them out; each type is a trigger of a profile as it stands.

Readers of TCP streams and of datagrams answer with an `Answer` (see `reading`), readers of headers with a find and the entry that
covers it. They hold no memory, read no clock and never raise on traffic: a censor's parser is a model, quirks and all.
"""

from typing import TypeAlias

from crenel.wall.readers.command import FtpCommand, SmtpAddress
from crenel.wall.readers.dns import DnsQname
from crenel.wall.readers.encrypted import RandomLooking
from crenel.wall.readers.header import IpAddress, TcpPort
from crenel.wall.readers.http import HttpHost, HttpKeyword
from crenel.wall.readers.quic import QuicSni
from crenel.wall.readers.tls import TlsExtension, TlsSni

PayloadReader: TypeAlias = TlsSni | TlsExtension | HttpHost | HttpKeyword | DnsQname | QuicSni | RandomLooking | FtpCommand | SmtpAddress
"""Every kind of trigger that reads payloads."""
HeaderReader: TypeAlias = IpAddress | TcpPort
"""Every kind of trigger that reads headers alone."""
Reader: TypeAlias = PayloadReader | HeaderReader
"""Every kind of trigger, told apart by its key `reads`."""
