"""What a box does and remembers, as a profile says it, in; the same in words out."""

from collections.abc import Iterator

from crenel.report.text import counted, listed, percent
from crenel.wall.law import Rule
from crenel.wall.reaction import Answers, Reaction, Template
from crenel.wall.residual import Residual

_FLAGS = {"F": "FIN", "S": "SYN", "R": "RST", "P": "PSH", "A": "ACK", "U": "URG"}
_ON = {"any": "every packet", "syn": "packets that open a connection", "ack": "packets after the opening", "payload": "packets with data"}


def reaction_words(reaction: Reaction) -> list[str]:
    """Return a sentence for each thing that a box does at once."""
    return list(_reactions(reaction))


def _reactions(reaction: Reaction) -> Iterator[str]:
    if reaction.answer is not None:
        yield _answer(reaction.answer)
    for template in reaction.inject:
        yield template_words(template)
    if reaction.withhold:
        yield "withholds the packet that was the ground"
    if reaction.throttle is not None:
        bucket = reaction.throttle
        whom = "both ends receive" if bucket.toward == "both" else f"the {bucket.toward} receives"
        yield f"from then on {whom} {bucket.bytes_per_second:,} bytes a second, after a burst of {bucket.burst:,}"


def template_words(template: Template) -> str:
    """Return one kind of forged packet in words."""
    flags = "+".join(_FLAGS[letter] for letter in template.flags)
    share = f", in {percent(template.share)} of cases" if template.share is not None else ""
    page = f" with {counted(len(template.payload), 'byte')} of payload" if template.payload else ""
    seq = ""
    if any(template.seq):
        seq = ", sequence numbers " + listed([f"{offset:+,}" for offset in template.seq])
    details = f"TTL {law_words(template.ttl)}; IP ID {law_words(template.ip_id)}; window {law_words(template.window)}{'; DF' if template.df else ''}"
    return f"injects {template.copies} × {flags}{page} to {listed(template.toward)}{share}{seq}; {details}; after {law_words(template.delay, ' µs')}"


def _answer(answers: Answers) -> str:
    pools = listed([pool for pool in (answers.pool, answers.pool6) if pool is not None])
    order = f"in a cycle, {counted(answers.processes, 'walk')} side by side" if answers.order == "cyclic" else "at random"
    ip = f"IP TTL {law_words(answers.ttl)}; IP ID {law_words(answers.ip_id)}{'; DF' if answers.df else ''}"
    details = f"record TTL {law_words(answers.record_ttl)}; {ip}"
    return f"forges an answer with an address of {pools}, taken {order}; {details}; after {law_words(answers.delay, ' µs')}"


def law_words(rule: Rule, unit: str = "") -> str:
    """Return how a number is come by."""
    step = f", up by {rule.step} with each copy" if rule.step else ""
    if rule.fixed is not None:
        return f"{rule.fixed:,}{unit}{step}"
    if rule.between is not None:
        return f"{rule.between[0]:,} to {rule.between[1]:,}{unit}{step}"
    if rule.quantiles is not None:
        return f"{rule.quantiles[0][1]:,g} to {rule.quantiles[-1][1]:,g}{unit} as measured{step}"
    if rule.mirror:
        return f"as in the packet that was the ground{step}"
    if rule.counter is not None:
        low, high, up = rule.counter
        return f"counted up by {up} from {low:,} to {high:,}{step}"
    intercept, slope, band = rule.line or (0.0, 0.0, 0)
    return f"on the line {intercept:,g} {'+' if slope >= 0 else '-'} {abs(slope):g} × window, within {band:,}{step}"


def memory_words(residual: Residual) -> str:
    """Return what a box remembers after it acted."""
    if residual.seconds <= 0:
        return "nothing"
    keys = listed([part.replace("_", " ") for part in residual.parts])
    refresh = ", renewed by each packet that it hits" if residual.refresh else ""
    whom = "either end" if residual.from_ == "both" else f"the {residual.from_}"
    first, last = residual.chances[0], residual.chances[-1]
    rising = f", rising to {percent(last)} with more triggers" if last != first else ""
    sure = "" if first == 1.0 == last else f", on {percent(first)} of flows{rising}"
    onset = "" if residual.onset.fixed == 0 else f", beginning {law_words(residual.onset, ' ms')} after the trigger"
    hit = f"{_ON[residual.on]} of {whom}"
    acts = f"drops {hit}" if residual.does == "drop" else f"resets the connection at {hit}"
    return f"{keys} for {residual.seconds:g} s{refresh}: {acts}{sure}{onset}"
