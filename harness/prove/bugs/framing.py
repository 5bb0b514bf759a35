"""WebSocket frames: allowed ones must not change the verdict, forbidden ones must be found."""

from harness.model.proof import Place
from harness.prove.bugs.red import FAIL, HARMLESS, each, red
from harness.prove.demand import SafetyIs, Says
from harness.prove.planted_bug import PlantedBug
from harness.prove.trials import OnTheWay

ONE = "harness.prove.way.one_delivery:"
MANY = "harness.prove.way.many_deliveries:"
WIRE = "protocol-violations"
"""the check that finds frames and answers which docs/protocol.md forbids"""


BUGS = (
    PlantedBug(
        name="fragmented",
        place=Place.WAY,
        planted="each delivery comes in three fragments, which is allowed",
        trial=OnTheWay(bug=f"{MANY}Fragmented"),
        demands=HARMLESS,
    ),
    PlantedBug(
        name="fragmented-around-ping",
        place=Place.WAY,
        planted="each delivery comes in three fragments with pings between them, which is allowed",
        trial=OnTheWay(bug=f"{MANY}FragmentedAroundPing"),
        demands=HARMLESS,
    ),
    PlantedBug(
        name="split-segments",
        place=Place.WAY,
        planted="each delivery comes in three TCP segments, which is allowed",
        trial=OnTheWay(bug=f"{MANY}SplitSegments"),
        demands=HARMLESS,
    ),
    PlantedBug(
        name="joined-around-ping",
        place=Place.WAY,
        planted="two deliveries come in one write with a ping between them, which is allowed",
        trial=OnTheWay(bug=f"{MANY}JoinedAroundPing"),
        demands=HARMLESS,
    ),
    PlantedBug(
        name="binary-frame",
        place=Place.WAY,
        planted="a delivery comes in a binary frame",
        trial=OnTheWay(bug=f"{ONE}InBinaryFrame"),
        demands=red(each("lost"), each(WIRE, 1, "binary")),
        quick=True,
    ),
    PlantedBug(
        name="not-utf-8",
        place=Place.WAY,
        planted="the text of a delivery is not UTF-8",
        trial=OnTheWay(bug=f"{ONE}NotUtf8"),
        demands=(Says(check=WIRE, status=FAIL, each=1), SafetyIs(red=frozenset((WIRE,)), perhaps=frozenset(("lost",)))),
    ),
    PlantedBug(
        name="not-json",
        place=Place.WAY,
        planted="a text frame beside the delivery is not JSON",
        trial=OnTheWay(bug=f"{ONE}NotJson"),
        demands=red(each(WIRE, 1, "malformed")),
        quick=True,
    ),
    PlantedBug(
        name="unasked-error",
        place=Place.WAY,
        planted="an error event comes that answers no command",
        trial=OnTheWay(bug=f"{ONE}UnaskedError"),
        demands=red(each(WIRE, 1, "unasked")),
    ),
    PlantedBug(
        name="broken-frame",
        place=Place.WAY,
        planted="a frame has an opcode that does not exist",
        trial=OnTheWay(bug=f"{ONE}BrokenFrame"),
        demands=red(each(WIRE, 1, "framing")),
    ),
    PlantedBug(
        name="wrong-position",
        place=Place.WAY,
        planted="confirmations name a position 100,000 ahead, and one delivery of some clients is lost",
        trial=OnTheWay(bug=f"{MANY}WrongPosition"),
        # Each client got a wrong position; the planter counts the lost deliveries.
        demands=red(each("lost"), each(WIRE, None)),
    ),
)
