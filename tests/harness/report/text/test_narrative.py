from dataclasses import replace
from typing import Any

import pytest

from harness.model.fault import Fault, FaultKind, Target
from harness.model.finding import Verdict
from harness.model.measurements.recovery import AnswerCount, Rebroadcast, ServerRecovery
from harness.report.text.narrative import key_lines, paragraphs
from harness.report.text.outage import faults, has_outage
from harness.report.text.quantities import SPACE, THOUSANDS
from harness.report.text.recovery_tables import fault_table
from tests.harness.report import outage_verdicts, verdicts


def story(verdict: Verdict) -> str:
    return plain(" ".join(paragraphs(verdict)))


def plain(words: str) -> str:
    return words.replace(THOUSANDS, "'").replace(SPACE, " ")


def changed(fault: Fault = outage_verdicts.BROKER, *, plan: dict[str, Any] | None = None, **parts: Any) -> Verdict:
    """The verdict of the outage with ``parts`` of its recovery replaced."""
    return outage_verdicts.recovering(outage_verdicts.outage(**{"faults": (fault,)} | (plan or {})), **parts)


def broken(
    kind: FaultKind, target: Target, *parts: str, endings: tuple[tuple[str, str], ...] = (), back_s: float | None = 3.0
) -> Verdict:
    fault = replace(outage_verdicts.BROKER, kind=kind, target=target, parts=parts)
    return changed(fault, faults=(replace(fault, times=outage_verdicts.times(1.0, back_s, *endings)),))


def test_a_run_without_a_fault_has_no_story() -> None:
    """Without a fault the report has no paragraphs about one."""
    whole = verdicts.passed()
    assert not has_outage(whole)
    assert not paragraphs(whole)
    assert not key_lines(whole)
    assert not faults(whole)


def test_the_story_says_what_broke_and_what_it_did() -> None:
    """The sentences say what was broken and for how long, what happened to the posts, and how everything came back."""
    text = story(outage_verdicts.outage())
    for sentence in (
        "Redis was stopped 5 s into the measured time (exit code 0). It was back at 10.4 s, after an outage of 5.4 s.",
        "500 posts were due meanwhile: 500 acknowledged, 0 rejected, 0 indeterminate.",
        "Half of the answers came within 4.2 ms, 99 % within 7.4 ms; before the outage within 4.1 ms and 7.04 ms.",
        "Both servers noticed the outage 12 ms to 34 ms after it began.",
        "Both servers subscribed to the backplane again 48 ms to 51 ms after Redis was back.",
        "The servers recovered by themselves; the harness did not ask them to.",
        "The last missing delivery reached its client 170 ms before Redis was back.",
        "No client lost its connection.",
        "100'000 deliveries of the measured window came live, 99 % of them within 14.2 ms of the intended time.",
        "100'000 were recovered: half within 212 ms, the last after 512 ms.",
    ):
        assert sentence in text
    assert "not recorded" not in text


def test_posts_that_were_not_acknowledged_are_accounted_for() -> None:
    """The story says when the first and the last of these posts were due. It lists their answers, the most frequent
    first."""
    text = story(
        changed(
            first_error_s=5.01,
            last_error_s=10.3,
            errors=(AnswerCount(http_status=None, posts=3), AnswerCount(http_status=503, posts=120)),
        )
    )
    assert "The first post that was not acknowledged was due at 5.01 s, the last at 10.3 s." in text
    assert "Those posts were answered: 503 (120), no answer (3)." in text


def test_many_kinds_of_answers_are_summed_up() -> None:
    """The sentence stays short and counts every post."""
    text = story(changed(errors=tuple(AnswerCount(http_status=500 + n, posts=10 - n) for n in range(9))))
    assert "505 (5) and others (9)." in text


@pytest.mark.parametrize(
    ("manner", "rebroadcast", "sentence"),
    [
        ("automatic", None, "The servers recovered by themselves"),
        ("off", None, "Recovery was switched off"),
        ("manual", None, "no request is recorded"),
        ("manual", Rebroadcast(asked_s=11.4), "it came at 11.4 s, no answer is recorded"),
        (
            "manual",
            Rebroadcast(asked_s=11.4, answered_s=11.6, messages=1000),
            "it came at 11.4 s, the last answer came at 11.6 s, 1'000 messages filled in over all servers",
        ),
        ("by magic", None, "Recovery: by magic."),
    ],
)
def test_the_manner_of_recovery_is_reported(manner: str, rebroadcast: Rebroadcast | None, sentence: str) -> None:
    """The servers recover by themselves, on request, or not at all."""
    assert sentence in story(changed(plan={"recovery": manner}, rebroadcast=rebroadcast))


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (
            broken(FaultKind.KILL, Target.DATABASE, "database"),
            "PostgreSQL was killed 1 s into the measured time. It was back",
        ),
        (broken(FaultKind.PAUSE, Target.BROKER, "broker"), "Redis was frozen"),
        (broken(FaultKind.PARTITION, Target.SERVER, "server-2"), "server-2 was cut off from the network"),
        (broken(FaultKind.RESTART, Target.SERVERS, "server-1", "server-2"), "All 2 servers were restarted"),
        (broken(FaultKind.PAUSE, Target.CLIENTS, "client-1", "client-7"), "2 clients stopped reading"),
        (
            broken(FaultKind.PAUSE, Target.CLIENTS, "client-1"),
            "1 client stopped reading 1 s into the measured time. It was",
        ),
        (
            broken(FaultKind.KILL, Target.SERVERS, "a", "b", endings=(("a", "SIGKILL"), ("b", "SIGKILL"))),
            "(a: SIGKILL, b: SIGKILL). They were back at 3 s, after an outage of 2 s.",
        ),
        (broken(FaultKind.KILL, Target.SERVERS, "a", "b"), "before all 2 servers were back"),
        (broken(FaultKind.STOP, Target.BROKER, "broker", back_s=None), "That it was back again is not recorded."),
    ],
)
def test_every_kind_of_fault_has_its_sentence(verdict: Verdict, sentence: str) -> None:
    """Subject, verb and number agree for every kind of fault and every target."""
    assert sentence in story(verdict)


def test_what_was_planned_and_not_recorded_is_reported_as_a_plan() -> None:
    """The report of a run that ended before its fault does not say that anything broke."""
    text = story(changed(faults=()))
    assert "The plan was: stop broker at 50% of the messages, healed when everything is posted." in text
    assert "Redis was stopped" not in text


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.05, 0.05, "50 ms after Redis was back"),
        (0.05, 1.5, "50 ms to 1.5 s after Redis was back"),
        (-0.3, -0.1, "100 ms to 300 ms before Redis was back"),
        (-0.1, 0.2, "between 100 ms before Redis was back and 200 ms after"),
    ],
)
def test_times_around_the_return_are_counted_from_it(low: float, high: float, words: str) -> None:
    """A negative time is before the return, a positive time after it. A range has both ends."""
    servers = (
        ServerRecovery(name="server-1", resubscribed_s=low),
        ServerRecovery(name="server-2", resubscribed_s=high),
    )
    assert f"Both servers subscribed to the backplane again {words}." in story(changed(servers=servers))


def test_a_server_that_left_no_trace_is_counted() -> None:
    """The sentence does not claim for all servers what only some of them did."""
    servers = (
        ServerRecovery(name="server-1", detected_s=0.01),
        ServerRecovery(name="server-2"),
        ServerRecovery(name="server-3"),
    )
    text = story(changed(servers=servers))
    assert "server-1 noticed the outage 10 ms after it began; of 2 others there is no trace of it." in text
    assert "When the servers subscribed to the backplane again is not recorded." in text


@pytest.mark.parametrize("part", ["faults", "servers", "reconnected", "backfilled_s", "first_error_s", "last_error_s"])
def test_what_is_missing_is_named(part: str) -> None:
    """Each part may be missing. The rest is reported, and the sentence for the part says that it is not recorded."""
    text = story(
        outage_verdicts.recovering(outage_verdicts.outage(), **{part: () if part in ("faults", "servers") else None})
    )
    if part not in ("first_error_s", "last_error_s"):
        assert "not recorded" in text
    assert "None" not in text


def test_nothing_measured_is_said_throughout() -> None:
    """A recording without data of the outage gives sentences without figures."""
    bare = replace(outage_verdicts.outage(), run=None, series={})
    text = story(bare)
    for words in (
        "How many posts were due meanwhile is not recorded.",
        "When the servers noticed the outage is not recorded.",
        "When the last missing delivery arrived is not recorded.",
        "Whether clients lost their connection is not recorded.",
        "This recording does not distinguish live from recovered deliveries.",
    ):
        assert words in text
    assert fault_table(bare) is None
    assert ("Posts meanwhile", "– of – acknowledged") in key_lines(bare)


def test_the_key_lines_are_the_story_in_short() -> None:
    """A log has one line each for the outage, the answers, the recovery and the two latencies."""
    lines = {name: plain(figures) for name, figures in key_lines(outage_verdicts.outage())}
    assert lines == {
        "Outage": "Redis was stopped at 5 s (exit code 0) · back after 5.4 s",
        "Posts meanwhile": "500 of 500 acknowledged",
        "Acknowledged P99": "before 7.04 ms · during 7.4 ms",
        "Noticed": "12 ms to 34 ms after the fault began",
        "Resubscribed": "48 ms to 51 ms after Redis was back",
        "Backfilled": "170 ms before Redis was back",
        "Live P99": "14.2 ms · 100'000 deliveries",
        "Recovered P99": "498 ms · 100'000 deliveries",
    }
