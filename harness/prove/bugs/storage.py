"""Bugs in storage, in answers and in the history."""

from harness.model.proof import Place
from harness.prove.bugs.framing import WIRE
from harness.prove.bugs.red import HARMLESS, NEVER_PASS, UNKNOWN, each, red
from harness.prove.demand import Ends, Says
from harness.prove.planted_bug import PlantedBug
from harness.prove.trials import BySettings, InTheServer, OnTheWay, SmallLoad

ANSWERS = "harness.prove.way.answers:"
CONNECTIONS = "harness.prove.way.connections:"
STORAGE = "planted_server.storage_bugs:"
AUDIENCE = SmallLoad().audience

BUGS = (
    PlantedBug(
        name="acknowledged-not-stored",
        place=Place.SERVER,
        planted="a message is acknowledged and delivered, but never stored",
        trial=InTheServer(bug=f"{STORAGE}NeverStored"),
        demands=red(each("acknowledged-not-stored"), each("delivered-not-stored"), each("seq-gapless")),
        quick=True,
    ),
    PlantedBug(
        name="stored-elsewhere",
        place=Place.SERVER,
        planted="a message is stored in another channel than it was posted to",
        trial=InTheServer(bug=f"{STORAGE}StoredElsewhere"),
        demands=red(each("seq-gapless", None), perhaps=("acknowledged-not-stored", "delivered-not-stored")),
    ),
    PlantedBug(
        name="published-before-commit",
        place=Place.SERVER,
        planted="a message is published 200 ms before COMMIT",
        trial=InTheServer(bug=f"{STORAGE}PublishedBeforeCommit"),
        demands=red(each("commit-order")),
        quick=True,
    ),
    PlantedBug(
        name="rolled-back",
        place=Place.SERVER,
        planted="a message is delivered, then rolled back, and the post is rejected",
        trial=InTheServer(bug=f"{STORAGE}RolledBack"),
        demands=red(
            each("phantom", AUDIENCE),
            each("ledger", None),
            perhaps=("lost", "delivered-not-stored", "seq-gapless", "commit-order", "order", "lost-tail"),
        ),
    ),
    PlantedBug(
        name="answered-before-commit",
        place=Place.WAY,
        planted="by the trace a message was answered before COMMIT",
        trial=OnTheWay(bug=f"{ANSWERS}TraceShowsLateCommit"),
        demands=red(each("commit-order")),
    ),
    PlantedBug(
        name="rejected-but-stored",
        place=Place.WAY,
        planted="a post is rejected, and its message is stored and delivered",
        trial=OnTheWay(bug=f"{ANSWERS}RejectedButStored"),
        demands=red(each("phantom", AUDIENCE), each("ledger", 1, "rejected"), perhaps=("seq-gapless",)),
        quick=True,
    ),
    PlantedBug(
        name="wrong-seq-answered",
        place=Place.WAY,
        planted="the answer to a post names another seq than the stored one",
        trial=OnTheWay(bug=f"{ANSWERS}WrongSeq"),
        demands=red(each("seq-gapless")),
        quick=True,
    ),
    PlantedBug(
        name="wrong-channel-answered",
        place=Place.WAY,
        planted="the answer to a post names another channel",
        trial=OnTheWay(bug=f"{ANSWERS}WrongChannel"),
        demands=(Ends(status=NEVER_PASS), Says(check=WIRE, status=NEVER_PASS, each=1, key="answer")),
    ),
    PlantedBug(
        name="duplicate-claimed",
        place=Place.WAY,
        planted="the answer to a first post says that it is a repetition",
        trial=OnTheWay(bug=f"{ANSWERS}DuplicateClaimed"),
        demands=(Ends(status=NEVER_PASS), Says(check=WIRE, status=NEVER_PASS, each=1, key="answer")),
    ),
    PlantedBug(
        name="chunked-answers",
        place=Place.WAY,
        planted="every answer comes in chunks, which is allowed",
        trial=OnTheWay(bug=f"{ANSWERS}Chunked"),
        demands=HARMLESS,
    ),
    PlantedBug(
        name="history-omits",
        place=Place.WAY,
        planted="the history leaves out one message of each channel",
        trial=OnTheWay(bug=f"{ANSWERS}HistoryOmits"),
        demands=red(each("acknowledged-not-stored"), each("delivered-not-stored"), each("seq-gapless")),
    ),
    PlantedBug(
        name="history-alters",
        place=Place.WAY,
        planted="the history shows another text for one message of each channel",
        trial=OnTheWay(bug=f"{ANSWERS}HistoryAlters"),
        demands=red(each("seq-gapless"), perhaps=("acknowledged-not-stored", "delivered-not-stored")),
    ),
    PlantedBug(
        name="history-in-short-pages",
        place=Place.WAY,
        planted="a page of the history is shorter than requested, and last_seq shows that there are more, which is "
        "allowed",
        trial=OnTheWay(bug=f"{ANSWERS}HistoryInShortPages"),
        demands=HARMLESS,
    ),
    PlantedBug(
        name="recovery-skipped",
        place=Place.SERVER,
        planted="the broker stops during the run, and no server reads the lost messages from the database",
        trial=BySettings(scenario="scenario-b", arguments=("--size", "smoke", "--recovery", "off")),
        demands=red(each("lost", None), perhaps=("lost-tail", "resubscribed")),
    ),
    PlantedBug(
        name="resume-skips",
        place=Place.WAY,
        planted="a client that reconnects does not get the first message after its position",
        trial=OnTheWay(bug=f"{CONNECTIONS}ResumeSkips"),
        demands=red(each("lost"), perhaps=(WIRE,)),
    ),
    PlantedBug(
        name="resume-repeats",
        place=Place.WAY,
        planted="a client that reconnects gets its last message again",
        trial=OnTheWay(bug=f"{CONNECTIONS}ResumeRepeats"),
        demands=red(each("duplicate-wire"), perhaps=(WIRE,)),
    ),
    PlantedBug(
        name="resume-faithful",
        place=Place.WAY,
        planted="connections are cut without a reason, and the resume is correct",
        trial=OnTheWay(bug=f"{CONNECTIONS}ResumeFaithful"),
        demands=(*HARMLESS, Says(check="interruptions", status=UNKNOWN)),
    ),
    PlantedBug(
        name="healthy-without-handshake",
        place=Place.WAY,
        planted="one server is healthy and never completes a handshake",
        trial=OnTheWay(bug=f"{CONNECTIONS}NoHandshake"),
        demands=(Ends(status=NEVER_PASS), Says(check="placement", status=UNKNOWN)),
    ),
    PlantedBug(
        name="server-gone",
        place=Place.WAY,
        planted="one server ends during the run and does not return",
        trial=OnTheWay(bug=f"{CONNECTIONS}ServerGone"),
        demands=(Ends(status=NEVER_PASS), Says(check="servers-answer", status=UNKNOWN)),
    ),
)
