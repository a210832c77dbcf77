"""What one connection remembers, and the segments that it puts on its way: the transmission control block of RFC 9293 section 3.3.1."""

from crenel.instant import Instant
from crenel.net.host.options import HostOptions, sack_option, syn_options, timestamp_option
from crenel.net.host.segment import Segment
from crenel.net.host.sequence import MASK, after
from crenel.net.host.state import HostEvent, State
from crenel.wire.packet import ACK, IP_DF, RST, SYN, TCP, Packet

RETRANSMIT = 1
PROBE = 2

_DEFAULT_MSS = 536  # RFC 9293 section 3.7.1


class Tcb:
    """The memory of a connection. Sequence numbers are absolute; `out` holds the bytes from `snd_una` on that are not acknowledged."""

    __slots__ = (
        "address", "asked_scale", "backoff", "base_rto", "bytes_acked", "challenged_at", "close_at", "cwnd", "dead", "ecn", "events_", "fin_held",
        "fin_queued", "fin_sent", "host", "ident", "iss", "linear", "listening", "max_window", "mss", "ooo", "out", "outbox", "own_mss", "peer",
        "peer_mss", "peer_port", "port", "rcv_isn", "rcv_nxt", "rcv_scale", "rcv_wnd", "rcv_wup", "read_shut", "recover", "request", "resend",
        "retransmits", "retries_since", "rto", "rttvar", "sack", "snd_nxt", "snd_scale", "snd_una", "snd_wl1", "snd_wnd", "srtt", "stamp", "state",
        "syn_last", "syn_value", "timed_at", "timed_seq", "timer_at", "timer_kind", "timestamps", "ts_recent", "urgent_seq", "urgent_told",
        "version", "write_seq",
    )  # fmt: skip

    def __init__(self, address: bytes, port: int, *, isn: int, options: HostOptions, listening: bool) -> None:
        self.address = address
        self.port = port
        self.host = options
        self.listening = listening
        self.version = 4 if len(address) == 4 else 6
        self.outbox: list[Packet] = []
        self.events_: list[HostEvent] = []
        self.ident = options.ident
        self.own_mss = options.mss - (0 if self.version == 4 else 20)
        self.forget(isn)

    def forget(self, isn: int) -> None:
        """Begin anew with an initial sequence number: a listener listens, everything else is closed."""
        host = self.host
        self.state = State.LISTEN if self.listening else State.CLOSED
        self.request = self.dead = self.read_shut = self.fin_queued = self.fin_sent = self.fin_held = self.ecn = False
        self.peer = b""
        self.peer_port = 0
        self.iss = self.snd_una = isn & MASK
        self.snd_nxt = self.write_seq = (isn + 1) & MASK
        self.snd_wnd = self.snd_wl1 = self.max_window = self.bytes_acked = self.snd_scale = 0
        self.peer_mss = _DEFAULT_MSS
        self.mss = _DEFAULT_MSS
        self.out = bytearray()
        self.rcv_isn = self.rcv_nxt = self.rcv_wup = 0
        self.rcv_wnd = host.window
        self.rcv_scale = 0
        self.asked_scale = True
        self.ooo: list[tuple[int, int, bytes, bool]] = []
        self.timestamps = host.timestamps
        self.sack = host.sack
        self.stamp: tuple[int, int] | None = None
        self.ts_recent = self.syn_value = self.syn_last = 0
        self.urgent_seq: int | None = None
        self.urgent_told = False
        self.cwnd = host.first_cwnd
        self.srtt = self.rttvar = 0
        self.rto = self.base_rto = host.first_rto
        self.backoff = self.retransmits = self.linear = 0
        self.resend: int | None = None
        self.recover = 0
        self.timed_seq = 0
        self.timed_at: Instant | None = None
        self.timer_kind = 0
        self.timer_at: Instant | None = None
        self.retries_since: Instant | None = None
        self.close_at: Instant | None = None
        self.challenged_at: Instant | None = None

    def clock(self, now: Instant) -> int:
        """Return the value of the timestamp option: milliseconds (tcp_time_stamp_ms)."""
        return (now // 1_000_000 + self.host.clock_offset) & MASK

    def put(self, now: Instant, flags: int, seq: int, payload: bytes = b"", urgent: int = 0) -> None:
        """Put one segment of a connection on its way (__tcp_transmit_skb); every ACK offers the whole window again."""
        host = self.host
        ack = 0
        if flags & ACK:
            ack = self.rcv_wup = self.rcv_nxt
        scale = self.rcv_scale
        window = (host.window + (1 << scale) - 1) >> scale
        options = timestamp_option(self.clock(now), self.ts_recent) if self.timestamps else b""
        if self.ooo and self.sack:
            options += sack_option(self.held()[: 3 if self.timestamps else 4])
        ident = self.ident
        self.ident = ident + 1 & 0xFFFF
        self.outbox.append(
            Packet(
                self.version, self.address, self.peer, TCP, self.port, self.peer_port, seq, ack, flags, min(window, 0xFFFF), payload, host.ttl, ident,
                IP_DF if self.version == 4 else 0, 0, urgent, options,
            )
        )  # fmt: skip

    def held(self) -> list[tuple[int, int]]:
        """Return the blocks of the out-of-order queue, adjoining ones joined (RFC 2018 section 4)."""
        blocks: list[tuple[int, int]] = []
        for seq, end, _, _ in self.ooo:
            if not blocks or after(seq, blocks[-1][1]):
                blocks.append((seq, end))
            elif after(end, blocks[-1][1]):
                blocks[-1] = blocks[-1][0], end
        return blocks

    def put_ack(self, now: Instant) -> None:
        """Acknowledge what has been received (tcp_send_ack)."""
        self.put(now, ACK, self.acceptable())

    def acceptable(self) -> int:
        """Return the sequence number of an empty segment: the next one, but not beyond the peer's window (tcp_acceptable_seq)."""
        beyond = (self.snd_nxt - self.snd_una & MASK) - self.snd_wnd
        if beyond <= 0 or self.request or (self.rcv_scale and beyond < 1 << self.rcv_scale):
            return self.snd_nxt
        return self.snd_una + self.snd_wnd & MASK

    def put_syn(self, now: Instant, flags: int) -> None:
        """Send or repeat the SYN or SYN/ACK with its options; its window is never scaled (RFC 7323 section 2.2)."""
        host = self.host
        stamp = (self.clock(now), self.ts_recent) if self.timestamps else None
        options = syn_options(host, stamp, mss=self.own_mss, scale=self.asked_scale, sack=self.sack)
        ack = 0
        if flags & ACK:
            ack = self.rcv_wup = self.rcv_nxt
        self.outbox.append(
            Packet(
                self.version, self.address, self.peer, TCP, self.port, self.peer_port, self.iss, ack, flags, min(host.window, 0xFFFF), b"",
                host.ttl, 0, IP_DF if self.version == 4 else 0, 0, 0, options,
            )
        )  # fmt: skip

    def put_reset(self, segment: Segment) -> None:
        """Answer a segment that fits no connection with a RST, unless it is one itself (tcp_v4_send_reset)."""
        flags = segment.flags
        if flags & RST:
            return
        if flags & ACK:
            self._put_bare(segment.ack, 0, RST)
        else:
            self._put_bare(0, segment.end, RST | ACK)

    def put_abort(self) -> None:
        """Reset the connection from this end: RST and ACK at the next sequence number (tcp_send_active_reset)."""
        self._put_bare(self.acceptable(), self.rcv_nxt, RST | ACK)

    def _put_bare(self, seq: int, ack: int, flags: int) -> None:
        self.outbox.append(
            Packet(
                self.version, self.address, self.peer, TCP, self.port, self.peer_port, seq, ack, flags, 0, b"", self.host.ttl, 0,
                IP_DF if self.version == 4 else 0,
            )
        )  # fmt: skip

    def may_challenge(self, now: Instant) -> bool:
        """Say whether an ACK for an invalid segment is due, and remember that it was sent (__tcp_oow_rate_limited)."""
        last = self.challenged_at
        if last is not None and now - last < self.host.challenge_interval:
            return False
        self.challenged_at = now
        return True

    def put_challenge(self, now: Instant) -> None:
        """Send a challenge ACK (RFC 5961 section 3.2), at most one in half a second (tcp_send_challenge_ack)."""
        if self.may_challenge(now):
            self.put_ack(now)

    def put_duplicate(self, now: Instant, segment: Segment) -> None:
        """Acknowledge again what is out of window; only segments without data are rate limited (tcp_oow_rate_limited, tcp_send_dupack)."""
        if (segment.seq != segment.end and not segment.flags & SYN) or self.may_challenge(now):
            self.put_ack(now)

    def window_end(self) -> int:
        """Return the sequence number behind the receive window that was last offered (tcp_receive_window)."""
        return self.rcv_wup + self.rcv_wnd & MASK

    def size_segments(self) -> None:
        """Set the size of segments: the peer's MSS, without timestamps, and not over half its largest window (tcp_sync_mss)."""
        room = max(min(self.peer_mss, self.own_mss), 48) - (12 if self.timestamps else 0)
        most = self.max_window
        cut = most >> 1 if most > _DEFAULT_MSS else most
        if cut and room > cut:
            # tcp_bound_to_half_wnd: 68 is the smallest IPv4 datagram of RFC 791.
            room = max(cut, 68 - (32 if self.timestamps else 20))
        self.mss = max(room, 1)

    def end(self, event: HostEvent | None = None) -> None:
        """Close the connection now and tell the application, if there is one (tcp_done)."""
        self.state = State.CLOSED
        self.request = False
        self.timer_at = self.close_at = None
        self.ooo.clear()
        if event is not None and not self.dead:
            self.events_.append(event)
