from pathlib import Path

import pytest

from tests.harness.prove.way.links import Way
from tests.harness.prove.way.test_many_deliveries import answered

POST = "/v1/chat.postMessage"


@pytest.mark.parametrize(
    ("bug", "changed"),
    [
        ("WrongSeq", {"seq": 1_005}),
        ("WrongChannel", {"channel": "c0-else"}),
        ("DuplicateClaimed", {"duplicate": True}),
        ("RejectedButStored", {"ok": False, "error": "database_unavailable"}),
    ],
)
def test_one_answer_of_each_of_three_channels_is_wrong(tmp_path: Path, bug: str, changed: dict[str, object]) -> None:
    """The answer to the fifth post is wrong. Every other answer, and every answer in the fourth channel, is right."""
    way = Way(f"answers:{bug}", tmp_path)
    for number in range(4):
        for seq in (4, 5, 6):
            true = {"ok": True, "channel": f"c{number}", "seq": seq, "duplicate": False}
            found = answered(way, POST, true).json()
            if seq == 5 and number < 3:
                expected = {**changed, "channel": f"c{number}-else"} if bug == "WrongChannel" else changed
                assert expected.items() <= found.items()
            else:
                assert found == true
    assert way.planted == 3


@pytest.mark.parametrize(
    ("bug", "seqs", "texts"),
    [
        ("HistoryOmits", [4, 6], ["a", "a"]),
        ("HistoryAlters", [4, 5, 6], ["a", ".", "a"]),
    ],
)
def test_the_history_is_false_in_one_message(tmp_path: Path, bug: str, seqs: list[int], texts: list[str]) -> None:
    """The fifth message is left out or has another text."""
    way = Way(f"answers:{bug}", tmp_path)
    rows = [{"seq": seq, "text": "a"} for seq in (4, 5, 6)]
    found = answered(
        way, "/v1/conversations.history", {"ok": True, "channel": "c", "messages": rows, "last_seq": 6}
    ).json()
    assert [(row["seq"], row["text"]) for row in found["messages"]] == list(zip(seqs, texts, strict=True))  # type: ignore[attr-defined]  # JSON
    assert way.planted == 1


def test_short_pages_tell_that_there_are_more(tmp_path: Path) -> None:
    """A page has seven messages at most, and the true ``last_seq``."""
    way = Way("answers:HistoryInShortPages", tmp_path)
    rows = [{"seq": seq, "text": "a"} for seq in range(1, 11)]
    found = answered(
        way, "/v1/conversations.history", {"ok": True, "channel": "c", "messages": rows, "last_seq": 10}
    ).json()
    assert (len(found["messages"]), found["last_seq"]) == (7, 10)  # type: ignore[arg-type]  # JSON


def test_the_trace_of_the_run_alone_shows_a_late_commit(tmp_path: Path) -> None:
    """A message of an earlier run in the same trace is not changed and not counted."""
    way = Way("answers:TraceShowsLateCommit", tmp_path)
    rows = [[way.channels[0], 5, 10, 20, 30], ["earlier.000000", 5, 10, 20, 30], [way.channels[0], 6, 10, 20, 30]]
    found = answered(way, "/v1/trace?part=accepted", {"ok": True, "rows": rows}).json()
    assert found["rows"] == [[way.channels[0], 5, 10, 500_000_020, 500_000_030], *rows[1:]]
    assert way.planted == 1
