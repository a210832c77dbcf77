"""A rule for fully encrypted traffic and a first payload in, the exemptions that hold for it out, each with the numbers that decide."""

from collections.abc import Iterator

from crenel.report.text import counted
from crenel.wall.readers.encrypted import RandomLooking


def exemptions(rule: RandomLooking, payload: bytes) -> list[str]:
    """Return why the rule leaves a payload alone, a clause for each exemption; none where it does not."""
    if not payload or rule.read(payload, (len(payload),), False).found:
        return []
    return list(_holding(rule, payload)) or ["it begins as the rule lets pass"]


def _holding(rule: RandomLooking, payload: bytes) -> Iterator[str]:
    size = len(payload)
    bits = int.from_bytes(payload, "big").bit_count()
    (low, low_of), (high, high_of) = rule.bits_low, rule.bits_high
    if bits * low_of <= size * low:
        yield f"{bits / size:.3f} bits set in a byte, at most {low / low_of:g}"
    if bits * high_of >= size * high:
        yield f"{bits / size:.3f} bits set in a byte, at least {high / high_of:g}"
    first, last = rule.printable
    printable = bytes(first <= byte <= last for byte in payload)
    if size >= rule.leading and all(printable[: rule.leading]):
        yield f"the first {counted(rule.leading, 'byte')} are printable"
    share, of = rule.printable_share
    if sum(printable) * of > size * share:
        yield f"{sum(printable):,} of {size:,} bytes are printable, more than {share} in {of}"
    run = max((len(part) for part in printable.split(b"\0")), default=0)
    if run > rule.run:
        yield f"{run:,} printable bytes in a row, more than {rule.run}"
    text = payload.upper() if rule.prefix_text_any_case else payload
    for prefix in rule.prefix_text:
        if text.startswith(prefix.upper().encode() if rule.prefix_text_any_case else prefix.encode()):
            yield f"it begins with {prefix!r}"
