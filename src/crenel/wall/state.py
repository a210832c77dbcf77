"""What a run keeps of one flow once its boxes' state has to be worked out: their strands, who acted, which coins have fallen."""

from crenel.wall.box import Box
from crenel.wall.effects import Effect
from crenel.wall.strand import Strand
from crenel.wall.wall import Watch


class FlowState:
    """What a run keeps of one flow."""

    __slots__ = ("acted", "acted_on", "events", "headers", "idle_interest", "missed", "pending", "strands", "tossed", "watch")

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        """Who watches packets from the first end."""
        self.headers: tuple[tuple[Box, int], ...] = ()
        """Boxes that act on headers and could act on this flow, with the packet classes they look at."""
        self.idle_interest = watch.idle_interest
        """Packet classes that matter whatever the state."""
        self.strands: list[Strand] = []
        self.pending: list[tuple[Box, list[Effect]]] = []
        """Boxes that acted on the newest packet, with their effects: what follows for the strands is worked out when the flow goes on."""
        self.acted: Box | None = None
        """The first box that acted."""
        self.acted_on = -1
        """Serial number, within the run, of the packet on which it did."""
        self.missed: dict[int, float] = {}
        """For boxes whose coin for this flow or pair has fallen to "miss", the probability with which it could have fallen otherwise."""
        self.events = 0
        self.tossed = False
        """A coin other than that of acting has fallen, so the other outcome is worth knowing."""
