"""The packet scripts by name: the situations of a connection in which measurements and strategies meet an endpoint."""

import random

from tests.net.host.script import DATA, Do, Send, Step, Wait

MD5 = b"\x13\x12" + bytes(16) + b"\x01\x01"
MSS = b"\x02\x04\x05\xb4"
SCALE = b"\x01\x03\x03\x07"
SACK = b"\x01\x01\x04\x02"
FAR = 50_000_000

LISTENING: list[Step] = [Do("listen")]
REQUEST: list[Step] = [*LISTENING, Send("S", 0, options=MSS)]
OPEN: list[Step] = [*REQUEST, Send("A")]
SENT: list[Step] = [Do("connect")]
CLIENT: list[Step] = [*SENT, Send("SA", 0, options=MSS)]
STAMPED: list[Step] = [*LISTENING, Send("S", 0, options=MSS, ts=5000), Send("A", ts=5001)]
STAMPED_CLIENT: list[Step] = [*SENT, Send("SA", 0, options=MSS, ts=5000)]
SACKED: list[Step] = [*LISTENING, Send("S", 0, options=MSS + SACK), Send("A")]
CROSSED: list[Step] = [*SENT, Send("S", 0, options=MSS)]
FIN_WAIT_1: list[Step] = [*OPEN, Do("shutdown")]
FIN_WAIT_2: list[Step] = [*FIN_WAIT_1, Send("A", 1, 2)]
ORPHAN_1: list[Step] = [*OPEN, Do("close")]
ORPHAN_2: list[Step] = [*ORPHAN_1, Send("A", 1, 2)]
CLOSE_WAIT: list[Step] = [*OPEN, Send("FA")]
LAST_ACK: list[Step] = [*CLOSE_WAIT, Do("close")]
CLOSING: list[Step] = [*FIN_WAIT_1, Send("FA", 1, 1)]
TIME_WAIT: list[Step] = [*ORPHAN_2, Send("FA", 1, 2)]
TEN: list[Step] = [*SENT, Send("SA", 0, 1, options=MSS, window=10)]
SCALED: list[Step] = [*SENT, Send("SA", 0, 1, options=MSS + SCALE, window=1460)]
ALIVE: list[Step] = [Send("PA", 1, 1, DATA)]

SCRIPTS: dict[str, list[Step]] = {
    # Listening.
    "listen: bare ACK": [*LISTENING, Send("A", 5, 7)],
    "listen: SYN/ACK": [*LISTENING, Send("SA", 5, 7)],
    "listen: RST": [*LISTENING, Send("R", 5)],
    "listen: FIN": [*LISTENING, Send("F", 5)],
    "listen: SYN and FIN": [*LISTENING, Send("SF", 0)],
    "listen: SYN and RST": [*LISTENING, Send("SR", 0)],
    "listen: no flags": [*LISTENING, Send("", 0)],
    "listen: SYN with payload": [*LISTENING, Send("S", 0, payload=DATA), Send("A"), Send("PA", 1, 1, DATA)],
    "listen: SYN with PSH and URG": [*LISTENING, Send("SPU", 0, urgent=1), Send("A"), *ALIVE],
    "listen: SYN with ECE and CWR": [*LISTENING, Send("SEC", 0)],
    "listen: SYN with a wrong checksum": [*LISTENING, Send("S", 0, wrong=True), Send("A")],
    "listen: SYN with MD5": [*LISTENING, Send("S", 0, options=MD5)],
    # A request.
    "request: SYN again": [*REQUEST, Send("S", 0, options=MSS), Send("A"), *ALIVE],
    "request: another SYN": [*REQUEST, Send("S", 700, options=MSS), Send("A"), *ALIVE],
    "request: SYN far away": [*REQUEST, Send("S", FAR), Send("A"), *ALIVE],
    "request: SYN/ACK with the client's ISN": [*REQUEST, Send("SA", 0, 1), Send("A"), *ALIVE],
    "request: SYN/ACK with payload": [*REQUEST, Send("SA", 0, 1, DATA), Send("A"), *ALIVE],
    "request: SYN/ACK with a wrong ack": [*REQUEST, Send("SA", 0, 99), Send("A"), *ALIVE],
    "request: RST in window": [*REQUEST, Send("R", 1), Send("A")],
    "request: RST inside the window": [*REQUEST, Send("R", 500), Send("A")],
    "request: RST out of window": [*REQUEST, Send("R", FAR), Send("A"), *ALIVE],
    "request: RST at the ISN": [*REQUEST, Send("R", 0), Send("A"), *ALIVE],
    "request: RST/ACK": [*REQUEST, Send("RA", 1, 1), Send("A")],
    "request: RST/ACK with a wrong ack": [*REQUEST, Send("RA", 1, 99), Send("A"), *ALIVE],
    "request: RST/ACK in window with a wrong ack": [*REQUEST, Send("RA", 500, 99), Send("A"), *ALIVE],
    "request: RST/ACK far away with a wrong ack": [*REQUEST, Send("RA", FAR, 99), Send("A"), *ALIVE],
    "request: ACK with a wrong ack": [*REQUEST, Send("A", 1, 99), Send("A"), *ALIVE],
    "request: data with a wrong ack": [*REQUEST, Send("PA", 1, 99, DATA), Send("A"), *ALIVE],
    "request: SYN again with FIN": [*REQUEST, Send("SF", 0), Send("A"), *ALIVE],
    "request: FIN": [*REQUEST, Send("F", 1), Send("A"), *ALIVE],
    "request: FIN/ACK": [*REQUEST, Send("FA", 1, 1)],
    "request: no flags, with payload": [*REQUEST, Send("", 1, payload=DATA), Send("A"), *ALIVE],
    "request: ACK out of window": [*REQUEST, Send("A", FAR, 1), Send("A"), *ALIVE],
    "request: data opens": [*REQUEST, Send("PA", 1, 1, DATA)],
    "request: data out of order opens": [*REQUEST, Send("PA", 11, 1, b"abc"), Send("PA", 1, 1, DATA)],
    "request: MD5": [*REQUEST, Send("A", options=MD5), Send("R", 1, options=MD5), Send("A"), *ALIVE],
    "request: wrong checksum": [*REQUEST, Send("R", 1, wrong=True), Send("A"), *ALIVE],
    "request: old timestamp": [*LISTENING, Send("S", 0, ts=5000), Send("A", ts=4000), Send("A", ts=5000), Send("PA", 1, 1, DATA, ts=5001)],
    "request: false echo": [*LISTENING, Send("S", 0, ts=5000), Send("A", ts=5001, echo=7), Send("A", ts=5001), Send("PA", 1, 1, DATA, ts=5001)],
    # SYN-SENT.
    "syn-sent: RST": [*SENT, Send("R", 0), Send("SA", 0, options=MSS), *ALIVE],
    "syn-sent: RST with SYN": [*SENT, Send("SR", 0), Send("SA", 0), *ALIVE],
    "syn-sent: RST/ACK": [*SENT, Send("RA", 0, 1)],
    "syn-sent: RST/ACK with a wrong ack": [*SENT, Send("RA", 0, 99), Send("SA", 0, options=MSS), *ALIVE],
    "syn-sent: SYN/ACK with a wrong ack": [*SENT, Send("SA", 0, 99), Send("SA", 0), *ALIVE],
    "syn-sent: SYN/ACK with the ISN itself": [*SENT, Send("SA", 0, 0), Send("SA", 0), *ALIVE],
    "syn-sent: ACK": [*SENT, Send("A", 0, 1), Send("SA", 0), *ALIVE],
    "syn-sent: ACK with a wrong ack": [*SENT, Send("A", 0, 99), Send("SA", 0), *ALIVE],
    "syn-sent: data with a wrong ack": [*SENT, Send("PA", 0, 99, DATA), Send("SA", 0), *ALIVE],
    "syn-sent: FIN": [*SENT, Send("F", 0, payload=DATA), Send("SA", 0), *ALIVE],
    "syn-sent: no flags": [*SENT, Send("", 0, payload=DATA), Send("SA", 0), *ALIVE],
    "syn-sent: FIN/ACK": [*SENT, Send("FA", 0, 1), Send("SA", 0), *ALIVE],
    "syn-sent: SYN/ACK with payload": [*SENT, Send("SA", 0, 1, DATA), *ALIVE],
    "syn-sent: SYN/ACK with FIN": [*SENT, Send("SFA", 0, 1), *ALIVE],
    "syn-sent: SYN/ACK with MD5": [*SENT, Send("SA", 0, options=MD5), Send("SA", 0), *ALIVE],
    "syn-sent: SYN/ACK with a wrong checksum": [*SENT, Send("SA", 0, wrong=True), Send("SA", 0), *ALIVE],
    "syn-sent: SYN/ACK with a false echo": [*SENT, Send("SA", 0, ts=5000, echo=7), Send("SA", 0, ts=5000), Send("PA", 1, 1, DATA, ts=5001)],
    # Simultaneous open.
    "crossed SYNs: SYN/ACK": [*CROSSED, Send("SA", 0, 1), *ALIVE],
    "crossed SYNs: ACK": [*CROSSED, Send("A", 1, 1), *ALIVE],
    "crossed SYNs: data": [*CROSSED, *ALIVE],
    "crossed SYNs: SYN again": [*CROSSED, Send("S", 0), Send("A", 1, 1), *ALIVE],
    "crossed SYNs: another SYN": [*CROSSED, Send("S", 500), Send("A", 1, 1), *ALIVE],
    "crossed SYNs: ACK with a wrong ack": [*CROSSED, Send("A", 1, 99), Send("A", 1, 1), *ALIVE],
    "crossed SYNs: ACK of nothing": [*CROSSED, Send("A", 1, 0), Send("A", 1, 1), *ALIVE],
    "crossed SYNs: RST": [*CROSSED, Send("R", 1)],
    "crossed SYNs: RST at the ISN": [*CROSSED, Send("R", 0), Send("A", 1, 1), *ALIVE],
    "crossed SYNs: RST in window": [*CROSSED, Send("R", 50), Send("A", 1, 1), *ALIVE],
    "crossed SYNs: with payload": [*SENT, Send("S", 0, payload=DATA), Send("A", 1, 1), *ALIVE],
    "crossed SYNs: FIN/ACK": [*CROSSED, Send("FA", 1, 1)],
    # Established, in window.
    "open: data": [*OPEN, *ALIVE],
    "open: data, client": [*CLIENT, *ALIVE],
    "open: data with SYN": [*OPEN, Send("SPA", 1, 1, DATA), *ALIVE],
    "open: data without ACK": [*OPEN, Send("P", 1, payload=DATA), Send("", 1, payload=b"x"), *ALIVE],
    "open: FIN without ACK": [*OPEN, Send("F", 1), *ALIVE],
    "open: out of order": [*OPEN, Send("PA", 11, 1, b"abcde"), Send("PA", 1, 1, DATA)],
    "open: RST at the next number": [*OPEN, Send("R", 1)],
    "open: RST/ACK with a wrong ack": [*OPEN, Send("RA", 1, 99999)],
    "open: all flags": [*OPEN, Send("FSRPAU", 1, 1, DATA)],
    "open: FIN with data": [*OPEN, Send("FPA", 1, 1, DATA), Wait(60)],
    "open: sends and is acknowledged": [*OPEN, Do("send", DATA), Send("A", 1, 11), Do("send", DATA)],
    "open: ack of unsent data": [*OPEN, Send("PA", 1, 500, DATA), *ALIVE],
    "open: old ack": [*CLIENT, Do("send", DATA), Send("A", 1, 11), Send("PA", 1, 5, DATA), Send("A", 11, 11)],
    "open: ack far back": [*CLIENT, Do("send", DATA), Send("A", 1, 11), Send("PA", 1, -FAR, DATA), *ALIVE],
    "open: ack just before the handshake": [*OPEN, Send("PA", 1, 0, DATA), *ALIVE],
    "open: abort": [*OPEN, Do("abort"), *ALIVE],
    # Established, out of window.
    "out of window: data behind": [*OPEN, *ALIVE, Send("PA", 1, 1, b"X" * 5)],
    "out of window: data far ahead": [*OPEN, Send("PA", FAR, 1, DATA), *ALIVE],
    "out of window: data far back": [*OPEN, Send("PA", -FAR, 1, DATA), *ALIVE],
    "out of window: ACK far ahead": [*OPEN, Send("A", FAR, 1), *ALIVE],
    "out of window: RST far ahead": [*OPEN, Send("R", FAR), *ALIVE],
    "out of window: RST just behind": [*OPEN, Send("R", 0), *ALIVE],
    "out of window: FIN far ahead": [*OPEN, Send("FA", FAR, 1), *ALIVE],
    "out of window: keep-alive": [*OPEN, Send("A", 0, 1), *ALIVE],
    "out of window: keep-alive with a byte": [*OPEN, *ALIVE, Send("A", 10, 1, b"X")],
    # Challenge ACKs.
    "challenge: SYN at the next number": [*OPEN, Send("S", 1), *ALIVE],
    "challenge: SYN far away": [*OPEN, Send("S", FAR), *ALIVE],
    "challenge: SYN/ACK again": [*CLIENT, Send("SA", 0, 1), *ALIVE],
    "challenge: SYN again": [*OPEN, Send("S", 0), *ALIVE],
    "challenge: RST inside the window": [*OPEN, Send("R", 100), *ALIVE],
    "challenge: RST inside the window, client": [*CLIENT, Send("RA", 100, 1), *ALIVE],
    "challenge: RST behind what is held": [*SACKED, Send("PA", 11, 1, DATA), Send("R", 15), Send("R", 21)],
    "challenge: RST behind what is held, no SACK": [*OPEN, Send("PA", 11, 1, DATA), Send("R", 21), *ALIVE],
    # PAWS.
    "PAWS: old data": [*STAMPED, Send("PA", 1, 1, DATA, ts=4000), Send("PA", 1, 1, DATA, ts=5002)],
    "PAWS: old RST": [*STAMPED, Send("R", 1, ts=4000)],
    "PAWS: old SYN": [*STAMPED, Send("S", 1, ts=4000), Send("PA", 1, 1, DATA, ts=5002)],
    "PAWS: old FIN": [*STAMPED, Send("FA", 1, 1, ts=4000), Send("PA", 1, 1, DATA, ts=5002)],
    "PAWS: pure ACK a little old": [*STAMPED, Send("A", 1, 1, ts=4900), Send("PA", 1, 1, DATA, ts=5002)],
    "PAWS: pure ACK long behind": [*STAMPED, Send("PA", 1, 1, DATA, ts=5002), Send("A", 1, 1, ts=10)],
    "PAWS: one tick": [*STAMPED, Send("PA", 1, 1, DATA, ts=5000)],
    "PAWS: no timestamp": [*STAMPED, Send("PA", 1, 1, DATA)],
    "PAWS: client": [*STAMPED_CLIENT, Send("PA", 1, 1, DATA, ts=4000), Send("PA", 1, 1, DATA, ts=5000)],
    "PAWS: value not taken from a later segment": [*STAMPED, Send("PA", 11, 1, b"abc", ts=9000), Send("PA", 1, 1, DATA, ts=5002)],
    # MD5 and other options.
    "MD5: data": [*OPEN, Send("PA", 1, 1, b"junk", options=MD5), *ALIVE],
    "MD5: RST": [*OPEN, Send("R", 1, options=MD5), *ALIVE],
    "MD5: RST/ACK, client": [*CLIENT, Send("RA", 1, 1, options=MD5), *ALIVE],
    "MD5: FIN": [*OPEN, Send("FA", 1, 1, options=MD5), *ALIVE],
    "MD5: no room for it": [*OPEN, Send("PA", 1, 1, DATA, options=b"\x13\x06abcd\x01\x01")],
    "MD5: length wrong": [*OPEN, Send("PA", 1, 1, DATA, options=b"\x13\x10" + bytes(16) + b"\x01\x01"), *ALIVE],
    "options: length zero": [*OPEN, Send("PA", 1, 1, DATA, options=b"\xfe\x00" + bytes(22)), *ALIVE],
    "options: length zero, short": [*OPEN, Send("PA", 1, 1, DATA, options=b"\xfe\x00\x01\x01"), *ALIVE],
    "options: user timeout": [*OPEN, Send("PA", 1, 1, DATA, options=b"\x1c\x04\x80\x01")],
    # Checksums.
    "checksum: data": [*OPEN, Send("PA", 1, 1, b"junk", wrong=True), *ALIVE],
    "checksum: RST": [*OPEN, Send("R", 1, wrong=True), *ALIVE],
    "checksum: FIN": [*OPEN, Send("FA", 1, 1, wrong=True), *ALIVE],
    "checksum: SYN": [*OPEN, Send("S", 1, wrong=True), *ALIVE],
    "checksum: ACK of our data": [*OPEN, Do("send", DATA), Send("A", 1, 11, wrong=True), Send("PA", 1, 11, DATA)],
    # Data offset.
    "data offset: 0": [*OPEN, Send("PA", 1, 1, DATA, words=0), *ALIVE],
    "data offset: 4": [*OPEN, Send("PA", 1, 1, DATA, words=4), *ALIVE],
    "data offset: beyond the segment": [*OPEN, Send("PA", 1, 1, DATA, words=15), *ALIVE],
    "data offset: exactly the segment": [*OPEN, Send("PA", 1, 1, b"\x01" * 8, words=7), *ALIVE],
    "data offset: one word of payload": [*OPEN, Send("PA", 1, 1, b"\x01\x01\x01\x01GET /", words=6)],
    "data offset: payload that is no option": [*OPEN, Send("PA", 1, 1, b"GET / HTTP/1.1\r\n\r\n", words=8)],
    "data offset: 10 over a long payload": [*OPEN, Send("PA", 1, 1, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", words=10), *ALIVE],
    "data offset: 10, wrong checksum": [*OPEN, Send("PA", 1, 1, DATA * 4, words=10, wrong=True), *ALIVE],
    # Windows.
    "window: closed, then open": [*OPEN, Send("A", 1, 1, window=0), Do("send", DATA), Send("A", 1, 1, window=500)],
    "window: closed, probed": [*OPEN, Send("A", 1, 1, window=0), Do("send", DATA), Wait(260), Send("A", 1, 1, window=0), Send("A", 1, 1, window=500)],
    "window: closed by an old segment": [*OPEN, *ALIVE, Send("A", 5, 1, window=0), Do("send", DATA)],
    "window: small": [*REQUEST, Send("A", window=4), Do("send", DATA), Wait(260), Send("A", 1, 5, window=4), Wait(340)],
    "window: shrunk over what is in flight": [*OPEN, Do("send", DATA), Send("A", 1, 5, window=4), Wait(260)],
    "window: of ten in the SYN/ACK": [*TEN, Do("send", b"A" * 73), Wait(260), Send("A", 1, 11, window=509)],
    "window: scale from the SYN/ACK": [*SCALED, Send("A", 2, 1, window=1), Send("A", 1, 1, window=1), Do("send", b"A" * 200), Wait(260)],
    "window: scaled by the SYN/ACK": [*SCALED, Do("send", b"A" * 100), Send("A", 1, 101, window=1), Do("send", b"B" * 300), Wait(260)],
    "window: shut over our FIN": [*FIN_WAIT_1, Send("A", 2, 1, window=0), Send("S", 1)],
    "window: FIN waits": [*OPEN, Send("A", 1, 1, window=0), Do("shutdown"), Send("A", 1, 1, window=500)],
    "window: filled, then moved": [*OPEN, Send("A", 1, 1, window=300), Do("send", b"A" * 1000), Send("A", 1, 145, window=3000)],
    "window: closed in the SYN": [*LISTENING, Send("S", 0, options=MSS, window=0), Send("A", window=0), Do("send", DATA), Send("A", window=50)],
    # Overlap.
    "overlap: the first copy of what is held": [*OPEN, Send("PA", 11, 1, b"AAAAA"), Send("PA", 11, 1, b"BBBBB"), *ALIVE],
    "overlap: what is held, longer": [*OPEN, Send("PA", 11, 1, b"AAAAA"), Send("PA", 11, 1, b"BBBBBBBB"), *ALIVE],
    "overlap: what is held, from before": [*OPEN, Send("PA", 13, 1, b"AAAA"), Send("PA", 11, 1, b"BBBBBBBB"), *ALIVE],
    "overlap: half of what is held, before": [*OPEN, Send("PA", 13, 1, b"AAAA"), Send("PA", 11, 1, b"BBBB"), *ALIVE],
    "overlap: half of what is held, behind": [*OPEN, Send("PA", 11, 1, b"AAAA"), Send("PA", 13, 1, b"BBBB"), *ALIVE],
    "overlap: over two that are held": [*OPEN, Send("PA", 12, 1, b"AA"), Send("PA", 16, 1, b"CC"), Send("PA", 11, 1, b"BBBBBBBBB"), *ALIVE],
    "overlap: the gap filled beyond what is held": [*OPEN, Send("PA", 6, 1, b"AAAAA"), Send("PA", 1, 1, b"BBBBBBBBBBBBBBB")],
    "overlap: the gap filled into what is held": [*OPEN, Send("PA", 6, 1, b"AAAAA"), Send("PA", 1, 1, b"BBBBBBB")],
    "overlap: partly delivered": [*OPEN, *ALIVE, Send("PA", 6, 1, b"XXXXXYYYYY")],
    "overlap: FIN in the middle": [*OPEN, Send("FPA", 6, 1, b"AAAAA"), Send("PA", 1, 1, b"BBBBBBBBBBBBBBB")],
    # Urgent data.
    "urgent: last byte": [*OPEN, Send("PAU", 1, 1, b"abcdeU", urgent=6), Send("PA", 7, 1, b"more")],
    "urgent: in the middle": [*OPEN, Send("PAU", 1, 1, b"abUcd", urgent=3)],
    "urgent: pointer zero": [*OPEN, Send("PAU", 1, 1, b"Uabcd", urgent=0)],
    "urgent: pointer one": [*OPEN, Send("PAU", 1, 1, b"Uabcd", urgent=1)],
    "urgent: beyond the segment": [*OPEN, Send("PAU", 1, 1, b"abc", urgent=6), Send("PA", 4, 1, b"deUf")],
    "urgent: pointer without the flag": [*OPEN, Send("PA", 1, 1, b"abcU", urgent=4)],
    "urgent: inline": [Do("inline"), Send("S", 0), Send("A"), Send("PAU", 1, 1, b"abUcd", urgent=3)],
    "urgent: out of order": [*OPEN, Send("PAU", 4, 1, b"dUf", urgent=2), Send("PA", 1, 1, b"abc")],
    "urgent: behind a gap": [*OPEN, Send("PAU", 2, 1, b"abUd", urgent=3)],
    "urgent: twice": [*OPEN, Send("PAU", 1, 1, b"abU", urgent=3), Send("PAU", 4, 1, b"cV", urgent=2)],
    # Closing.
    "FIN-WAIT-1: ACK": [*FIN_WAIT_1, Send("A", 1, 2)],
    "FIN-WAIT-1: data": [*FIN_WAIT_1, Send("PA", 1, 1, DATA)],
    "FIN-WAIT-1: FIN": CLOSING,
    "FIN-WAIT-1: FIN and ACK of ours": [*FIN_WAIT_1, Send("FA", 1, 2)],
    "FIN-WAIT-1: RST in window": [*FIN_WAIT_1, Send("R", 50), Send("R", 1)],
    "FIN-WAIT-1: data with ACK of ours": [*FIN_WAIT_1, Send("PA", 1, 2, DATA)],
    "FIN-WAIT-2: data, then FIN": [*FIN_WAIT_2, Send("PA", 1, 2, DATA), Send("FA", 11, 2)],
    "FIN-WAIT-2: FIN out of order": [*FIN_WAIT_2, Send("FA", 11, 2), Send("PA", 1, 2, DATA)],
    "FIN-WAIT-2: SYN": [*FIN_WAIT_2, Send("S", 1), Send("S", FAR)],
    "FIN-WAIT-2: RST": [*FIN_WAIT_2, Send("R", 1)],
    "CLOSING: ACK": [*CLOSING, Send("A", 2, 2)],
    "CLOSING: RST at the FIN": [*CLOSING, Send("R", 1)],
    "CLOSING: FIN again": [*CLOSING, Send("FA", 1, 1)],
    "CLOSE-WAIT: data": [*CLOSE_WAIT, Send("PA", 2, 1, DATA)],
    "CLOSE-WAIT: FIN again": [*CLOSE_WAIT, Send("FA", 1, 1)],
    "CLOSE-WAIT: RST": [*CLOSE_WAIT, Send("R", 2)],
    "CLOSE-WAIT: RST at the FIN": [*CLOSE_WAIT, Send("R", 1)],
    "CLOSE-WAIT: sends": [*CLOSE_WAIT, Do("send", DATA), Send("A", 2, 11)],
    "CLOSE-WAIT: ack of unsent data": [*CLOSE_WAIT, Send("A", 2, 500)],
    "LAST-ACK: ACK": [*LAST_ACK, Send("A", 2, 2), Send("A", 2, 2)],
    "LAST-ACK: data": [*LAST_ACK, Send("PA", 2, 1, DATA), Send("A", 2, 2)],
    "LAST-ACK: RST at the FIN": [*LAST_ACK, Send("R", 1), Send("A", 2, 2)],
    "LAST-ACK: old ack": [*LAST_ACK, Send("A", 2, -5)],
    "closed, FIN-WAIT-1: data": [*ORPHAN_1, Send("PA", 1, 1, DATA), Send("A", 1, 2)],
    "closed, FIN-WAIT-1: data and ACK": [*ORPHAN_1, Send("PA", 1, 2, DATA), Send("A", 1, 2)],
    "closed, FIN-WAIT-2: data": [*ORPHAN_2, Send("PA", 1, 2, DATA), Send("A", 1, 2)],
    "closed, FIN-WAIT-2: FIN with data": [*ORPHAN_2, Send("FPA", 1, 2, DATA)],
    "closed, FIN-WAIT-2: RST in window": [*ORPHAN_2, Send("R", 50), Send("A", 1, 2)],
    "closed, FIN-WAIT-2: old ACK": [*ORPHAN_2, Send("A", 0, 2), Send("FA", 1, 2)],
    "closed, FIN-WAIT-2: SYN": [*ORPHAN_2, Send("S", 1), Send("A", 1, 2)],
    "closed, FIN-WAIT-2: far ahead": [*ORPHAN_2, Send("A", FAR, 2), Send("FA", 1, 2)],
    "TIME-WAIT: FIN again": [*TIME_WAIT, Send("FA", 1, 2)],
    "TIME-WAIT: ACK": [*TIME_WAIT, Send("A", 2, 2)],
    "TIME-WAIT: data": [*TIME_WAIT, Send("PA", 2, 2, DATA)],
    "TIME-WAIT: RST": [*TIME_WAIT, Send("R", 2), Send("A", 2, 2)],
    "TIME-WAIT: RST in window": [*TIME_WAIT, Send("R", 50), Send("FA", 1, 2)],
    "TIME-WAIT: SYN ahead": [*TIME_WAIT, Send("S", 1000), Send("A", 1001, 1)],
    "TIME-WAIT: SYN ahead with FIN": [*TIME_WAIT, Send("SF", 1000), Send("A", 2, 2)],
    "TIME-WAIT: old SYN": [*TIME_WAIT, Send("S", 0)],
    # Nobody listens.
    "closed port: SYN": [Send("S", 0, payload=DATA)],
    "closed port: ACK": [Send("A", 5, 7)],
    "closed port: RST": [Send("R", 5), Send("RA", 5, 7)],
    "closed port: FIN": [Send("F", 5)],
    "closed port: no flags": [Send("", 5)],
    "closed port: wrong checksum": [Send("S", 0, wrong=True)],
    "closed port: MD5": [Send("S", 0, options=MD5)],
    "closed port: data offset": [Send("S", 0, words=4)],
}

BEGINNINGS: list[list[Step]] = [
    LISTENING, REQUEST, OPEN, SENT, CLIENT, SACKED, CROSSED, FIN_WAIT_1, FIN_WAIT_2, ORPHAN_1, ORPHAN_2, CLOSE_WAIT, LAST_ACK, CLOSING, TIME_WAIT,
]  # fmt: skip
FLAGS = ("A", "PA", "PA", "S", "SA", "R", "RA", "FA", "FPA", "F", "", "PAU", "FSRPAU", "SF")


def random_scripts(seed: int, count: int) -> dict[str, list[Step]]:
    """Return scripts that no one thought of: a beginning, then two segments with numbers near those that matter."""
    dice = random.Random(seed)
    return {f"random {seed}/{number}": [*dice.choice(BEGINNINGS), _random_send(dice), _random_send(dice)] for number in range(count)}


def _random_send(dice: random.Random) -> Send:
    seq, ack = dice.choice((0, 1, 1, 1, 2, 2, 6, 11, 12, 500, FAR, -FAR)), dice.choice((0, 1, 1, 1, 2, 2, 11, 12, 99))
    payload, window = dice.choice((b"", b"", b"abcde", DATA)), dice.choice((60000, 60000, 0, 5))
    return Send(dice.choice(FLAGS), seq, ack, payload, window, urgent=dice.choice((0, 1, 3, 9)))
