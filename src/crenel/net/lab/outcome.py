"""What a command printed and the flows that it caused in, whether it got past the wall out."""

import ipaddress

import msgspec

from crenel.net.lab.flows import LabFlow

_SHOWN = 60
"""Characters of the command where an outcome is named."""


class Outcome(msgspec.Struct, frozen=True, eq=False):
    """What a command in a lab came to, and what the wall did to its flows."""

    argv: tuple[str, ...]
    status: int | None
    """Its exit status; of a signal, the number below zero; None: it had not ended in time and was ended."""
    stdout: bytes
    stderr: bytes
    flows: tuple[LabFlow, ...]
    """Those that began while it ran, by their first packets."""
    problems: tuple[str, ...] = ()
    """Why not all of this can be relied on, in sentences: a server that died, a canary that did not come back."""
    untold: int = 0
    """Packets of the whole lab so far that are in no trace, because there were too many."""

    def __repr__(self) -> str:
        risks = sum(flow.exchange.at_risk for flow in self.flows)
        return f"<Outcome of {' '.join(self.argv)[:_SHOWN]}: status {self.status}, {len(self.flows)} flows, {risks} at risk>"

    @property
    def passed(self) -> bool:
        """Is no flow at risk, was none blocked by what the wall remembered from before the command, and did the lab itself hold?"""
        return not self.at_risk and not self.remembered and not self.problems

    @property
    def at_risk(self) -> bool:
        """Is the chance that a box acts above what is tolerated, for any flow?"""
        return any(flow.exchange.at_risk for flow in self.flows)

    @property
    def blocked(self) -> bool:
        """Did the wall keep the client from any answer, or forge one, as this seed drew it?"""
        return any(flow.exchange.blocked for flow in self.flows)

    @property
    def remembered(self) -> bool:
        """Was a flow blocked although no flow of the command gives ground?"""
        return self.blocked and not any(flow.exchange.chance for flow in self.flows)

    @property
    def inconclusive(self) -> bool:
        """Did any flow come to nothing without the wall's part in it, or can something here not be relied on?"""
        return bool(self.problems) or any(flow.exchange.outcome == "failed" and self.misled_by(flow) is None for flow in self.flows)

    def misled_by(self, flow: LabFlow) -> str | None:
        """Return the box whose forged answer sent the client of a flow to its address; None where that is the server's own."""
        address = str(ipaddress.ip_address(flow.exchange.trace[0].packet.dst))
        for earlier in self.flows[: flow.number - 1]:
            for answer in earlier.exchange.answers:
                if answer.forged_by is not None and address in answer.says.replace(",", " ").split():
                    return answer.forged_by
        return None

    @property
    def text(self) -> str:
        """What the command printed, as text."""
        return self.stdout.decode("utf-8", "replace")
