"""Which expected deliveries are missing, and how much memory the search for them takes."""

from pathlib import Path

import numpy as np
import pytest

from harness.checks.evidence import account
from harness.checks.evidence.account import _blocks
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding, measured


@pytest.mark.parametrize("block", [1, 5, 1 << 22])
def test_every_missing_pair_is_found_in_any_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """Messages reach none, one or all of their clients, or all but the last one."""
    monkeypatch.setattr(account, "BLOCK_PAIRS", block)
    run = HandMade(clients=6, audience=3)
    for to in ([0, 1], [], [0, 1, 2], [0]):
        run.post(0, to=to)
    for to in ([3], [3, 4, 5]):
        run.post(1, to=to)
    verdict = run.verdict(tmp_path)
    found = measured(verdict).delivery.measured
    assert (found.expected, found.delivered, found.lost, found.lost_tail) == (18, 10, 8, 2)
    assert finding(verdict, "lost").examples[0] == "client 2: message 0 (channel 0, seq 1)"
    assert len(finding(verdict, "lost").examples) == 8


def test_parts_are_of_about_a_block() -> None:
    """Every message is in one part, in order. No part has more pairs than a block and one message."""
    sizes = np.full(1_000, account.BLOCK_PAIRS // 10)
    messages = np.arange(0, 1_000, 3)
    parts = list(_blocks(messages, sizes))
    assert np.concatenate(parts).tolist() == messages.tolist()
    assert max(int(sizes[part].sum()) for part in parts) <= account.BLOCK_PAIRS * 1.1
    assert list(_blocks(messages[:0], sizes)) == []


def test_a_late_subscriber_misses_nothing_of_before(tmp_path: Path) -> None:
    """Messages before a client's subscription are not expected at that client."""
    run = HandMade()
    run.post(0, to=[0])
    run.post(0)
    run.sessions = [(0, 0), (1, 1), (2, 0), (3, 0)]
    found = measured(run.verdict(tmp_path)).delivery.measured
    assert (found.expected, found.delivered, found.lost) == (3, 3, 0)


@pytest.mark.parametrize(("drained", "lost", "undelivered"), [("quiet", 1, 0), ("cut-off", 0, 1)])
def test_a_message_without_a_seq_is_lost_only_where_nothing_could_still_bring_it(
    tmp_path: Path, drained: str, lost: int, undelivered: int
) -> None:
    """The post was not answered and the database was not read, so the seq of the message is not known. One client of
    two received it. The other client has a later message of the channel, but that proves nothing about a message
    without a seq."""
    run = HandMade(audited=False, drained=drained)
    run.post(0, to=[0], outcome=layout.INDETERMINATE)
    run.post(0)
    found = measured(run.verdict(tmp_path)).delivery.measured
    assert (found.lost, found.undelivered, found.lost_tail) == (lost, undelivered, 0)
