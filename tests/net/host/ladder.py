"""A ladder as text in, the same with what the simulated endpoint answers out: `>>` is a packet of the peer, `<<` an answer of the host."""

from tests.net.host.model import ModelGround
from tests.net.host.script import Send, Step, Wait, play


def ladder(steps: list[Step], ground: ModelGround | None = None) -> str:
    """Return the conversation of a script as lines, with what the application read and the state at its end."""
    seen = play(steps, ground or ModelGround(80, 40000), 80, 40000)
    lines = []
    answers = iter(seen.answers)
    for step in steps:
        if isinstance(step, Wait):
            continue  # what comes while time passes stands with the step before
        if isinstance(step, Send):
            ack = f" ack {step.ack}" if "A" in step.flags else ""
            lines.append(f">> {step.flags} seq {step.seq}{ack} {step.payload.decode('latin-1')}".rstrip())
        lines += [f"<< {answer}" for answer in next(answers, [])]
    lines += [f"read {seen.stream}"] if seen.stream else []
    lines += [f"urgent {seen.urgent}"] if seen.urgent else []
    return "\n".join([*lines, *seen.read, seen.state]).strip()


def rungs(text: str) -> str:
    """Return a ladder written with indents as it is compared."""
    return "\n".join(line.strip() for line in text.strip().splitlines())
