"""Deliveries that are lost, repeated, moved, changed, or that no client should get."""

from harness.model.proof import Place
from harness.prove.bugs.red import each, red
from harness.prove.planted_bug import PlantedBug
from harness.prove.trials import OnTheWay, SmallLoad

ONE = "harness.prove.way.one_delivery:"
MANY = "harness.prove.way.many_deliveries:"
ONE_CHANNEL = SmallLoad(clients=10, audience=10)
HUNDRED_THOUSAND = SmallLoad(clients=200, audience=200, rate_hz=30, duration_s=14)
"""105,000 deliveries"""

BUGS = (
    PlantedBug(
        name="lose-one",
        place=Place.WAY,
        planted="one delivery in the whole run is lost, for one client",
        trial=OnTheWay(bug=f"{ONE}Lost", options={"victims": 1}),
        demands=red(each("lost")),
        quick=True,
    ),
    PlantedBug(
        name="lose-one-of-100000",
        place=Place.WAY,
        planted="one of 100,000 deliveries is lost, for one client",
        trial=OnTheWay(bug=f"{ONE}Lost", load=HUNDRED_THOUSAND, options={"victims": 1, "seq": 200}),
        demands=red(each("lost")),
    ),
    PlantedBug(
        name="lose-channel",
        place=Place.WAY,
        planted="the clients of one channel on one server get nothing after the probe",
        trial=OnTheWay(bug=f"{MANY}ChannelOfOneServerLost"),
        demands=red(each("lost"), each("lost-tail")),
    ),
    PlantedBug(
        name="healthy-but-deaf",
        place=Place.WAY,
        planted="one server is healthy and confirms subscriptions, and delivers nothing after the probe",
        trial=OnTheWay(bug=f"{MANY}ServerDeaf"),
        demands=red(each("lost"), each("lost-tail")),
    ),
    PlantedBug(
        name="lose-last",
        place=Place.WAY,
        planted="one client never gets the last message of its channel",
        trial=OnTheWay(bug=f"{MANY}LastMessageLost", load=ONE_CHANNEL, options={"last_seq": ONE_CHANNEL.messages}),
        demands=red(each("lost"), each("lost-tail")),
        quick=True,
    ),
    PlantedBug(
        name="twice",
        place=Place.WAY,
        planted="a delivery comes twice",
        trial=OnTheWay(bug=f"{ONE}Twice"),
        demands=red(each("duplicate-wire")),
        quick=True,
    ),
    PlantedBug(
        name="twice-under-two-seqs",
        place=Place.WAY,
        planted="a message comes again under another seq",
        trial=OnTheWay(bug=f"{ONE}TwiceUnderTwoSeqs"),
        demands=red(each("duplicate-visible"), perhaps=("order",)),
        quick=True,
    ),
    PlantedBug(
        name="swapped",
        place=Place.WAY,
        planted="two neighbouring deliveries of one client are swapped",
        trial=OnTheWay(bug=f"{ONE}Swapped"),
        demands=red(each("order")),
        quick=True,
    ),
    PlantedBug(
        name="byte-altered",
        place=Place.WAY,
        planted="one byte of a delivered text is changed",
        trial=OnTheWay(bug=f"{ONE}ByteAltered"),
        demands=red(each("phantom"), each("lost")),
        quick=True,
    ),
    PlantedBug(
        name="channel-altered",
        place=Place.WAY,
        planted="a delivery names another channel of the run",
        trial=OnTheWay(bug=f"{ONE}ChannelAltered"),
        demands=red(each("phantom"), each("lost")),
    ),
    PlantedBug(
        name="seq-twice",
        place=Place.WAY,
        planted="a delivery has the seq of the message before it",
        trial=OnTheWay(bug=f"{ONE}SeqAltered"),
        demands=red(each("seq-gapless"), perhaps=("order",)),
    ),
    PlantedBug(
        name="to-another-client",
        place=Place.WAY,
        planted="a client gets a delivery of a channel to which it did not subscribe",
        trial=OnTheWay(bug=f"{ONE}ToAnotherClient"),
        demands=red(each("phantom")),
        quick=True,
    ),
    PlantedBug(
        name="of-another-run",
        place=Place.WAY,
        planted="a client gets a delivery of a channel that is not of this run",
        trial=OnTheWay(bug=f"{ONE}OfAnotherRun"),
        demands=red(each("phantom")),
    ),
    PlantedBug(
        name="never-posted",
        place=Place.WAY,
        planted="a client gets a text that was never posted",
        trial=OnTheWay(bug=f"{ONE}NeverPosted"),
        demands=red(each("phantom")),
    ),
    PlantedBug(
        name="gap",
        place=Place.WAY,
        planted="each channel leaves out one number; answers, deliveries and history agree",
        trial=OnTheWay(bug=f"{MANY}Gap"),
        demands=red(each("seq-gapless")),
    ),
    PlantedBug(
        name="from-one-again",
        place=Place.WAY,
        planted="each channel counts from 1 again in the middle; answers, deliveries and history agree",
        trial=OnTheWay(bug=f"{MANY}FromOneAgain"),
        # A trace in which two messages have one number names two times for each.
        demands=red(
            each("seq-gapless", None),
            each("order", None),
            perhaps=("commit-order", "duplicate-visible", "duplicate-wire", "protocol-violations"),
        ),
    ),
)
