"""The position of each client's first subscription in its channel: as the server named it, and whether it is
possible."""

from dataclasses import dataclass

import numpy as np

from harness.checks.evidence.evidence import Bools, Evidence, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """By client, of its first subscription: ``seq`` as the server named it, and the latest time, on the clock of the
    ledger, at which the confirmation can have been received. Both 0 for a client that was never subscribed."""

    seq: Ints
    until_ns: Ints

    def behind(self, evidence: Evidence, client: Ints, message: Ints) -> Bools:
        """By pair: the message lies behind the client's position, so that the client need not get it.

        The server's answer alone is not enough: a message that was sent after the confirmation arrived cannot be before
        the position.
        """
        found: Bools = evidence.seq[message] <= self.seq[client]
        posts = evidence.recording.posts
        if len(posts) == len(evidence.schedule):
            found &= posts["sent_ns"][message] <= self.until_ns[client]
        return found


def first_positions(evidence: Evidence) -> Positions:
    clients = evidence.plan.clients
    seq, until_ns = np.zeros(clients, np.int64), np.zeros(clients, np.int64)
    for worker, seen in evidence.recording.seen.items():
        sessions = seen.sessions[(seen.sessions["subscribed_ns"] > 0) & (seen.sessions["client"] < clients)]
        client, first = np.unique(sessions["client"], return_index=True)
        seq[client] = sessions["position"][first]
        received_ns = sessions["subscribed_ns"][first].astype(np.int64)
        host = evidence.clocks.of_file(f"deliveries-{worker:02}")
        shift = evidence.clocks.elapsed_ns(received_ns, host, np.zeros(1, np.int64), evidence.generator_host)
        until_ns[client] = -shift.low
    return Positions(seq=seq, until_ns=until_ns)


def ahead(evidence: Evidence, positions: Positions) -> Ints:
    """Clients whose first subscription names a position that the channel cannot have had: beyond the number of messages
    that were sent to it by then, and beyond the seq of each of them."""
    posts = evidence.recording.posts
    wrong = [np.empty(0, np.int64)]
    if len(posts) == len(evidence.schedule):
        suspects = np.flatnonzero(positions.seq > 0)
        for channel in np.unique(evidence.client_channel[suspects]).tolist():
            clients = suspects[evidence.client_channel[suspects] == channel]
            messages = np.flatnonzero((evidence.channel == channel) & (posts["sent_ns"] > 0))
            messages = messages[np.argsort(posts["sent_ns"][messages], kind="stable")]
            sent = np.searchsorted(posts["sent_ns"][messages], positions.until_ns[clients], side="right")
            newest = np.r_[0, np.maximum.accumulate(evidence.seq[messages])]
            wrong.append(clients[positions.seq[clients] > np.maximum(newest[sent], sent)])
    return np.concatenate(wrong)
