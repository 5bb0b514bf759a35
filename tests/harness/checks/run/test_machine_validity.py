"""Each shortage of the machine, planted in the telemetry, is found by its own check with its own bias."""

import dataclasses
from pathlib import Path

import pytest

from harness.model.finding import Bias, Status
from harness.recording.reader import Recording
from tests.harness.checks.run.test_validity import asked, doubtful
from tests.harness.recordings import HandMade, finding


@pytest.fixture
def run() -> HandMade:
    """300 messages in three seconds: enough samples, and no finding that is not PASS."""
    made = HandMade()
    for _ in range(300):
        made.post(0)
    return made


@pytest.mark.parametrize(
    ("check", "process", "machine"),
    [
        ("generator-cpu", {"worker-00": 2.5}, {"busy_s": 2.5}),
        ("foreign-cpu", {}, {"busy_s": 0.6}),
        ("steal", {}, {"steal_s": 0.06}),
    ],
)
def test_a_busy_machine_is_found(
    run: HandMade, tmp_path: Path, check: str, process: dict[str, float], machine: dict[str, float]
) -> None:
    """A worker uses a full core, other programs use CPU, or the hypervisor takes time, each in 2.7 s on two cores."""

    found = asked(run, tmp_path, check, lambda recording: _used(recording, process, machine))
    assert doubtful(found, Bias.PESSIMISTIC)
    unmeasured = asked(run, tmp_path, check, lambda recording: dataclasses.replace(recording, telemetry=()))
    assert doubtful(unmeasured, Bias.OPTIMISTIC), "what was not measured may hide anything"


@pytest.mark.parametrize(
    ("share", "latency_ms", "disk", "status"),
    [
        (0.0, 150, Status.PASS, Status.FAIL),
        (0.01, 150, Status.UNKNOWN, Status.UNKNOWN),
        (0.01, 5, Status.UNKNOWN, Status.PASS),
    ],
)
def test_a_disk_that_stands_still_excuses_a_failure_and_spoils_no_success(
    tmp_path: Path, share: float, latency_ms: float, disk: Status, status: Status
) -> None:
    """If pages wait for the disk in a hundredth of the time, this alone can make the P99."""
    run = HandMade(disk_stalled_share=share)
    for _ in range(300):
        run.post(latency_ms=latency_ms)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "disk").status is disk
    assert finding(verdict, "latency_ms.p99").status is status


@pytest.mark.parametrize(
    ("check", "process", "machine", "status"),
    [
        ("generator-cpu", {"worker-00": 2.15}, {"busy_s": 2.15}, Status.PASS),
        ("generator-cpu", {"worker-00": 2.17}, {"busy_s": 2.17}, Status.UNKNOWN),
        ("generator-cpu", {"publisher": 2.17}, {"busy_s": 2.17}, Status.UNKNOWN),
        ("generator-cpu", {"server-1": 2.7}, {"busy_s": 2.7}, Status.PASS),
        ("foreign-cpu", {"server-1": 2.0}, {"busy_s": 2.53}, Status.PASS),
        ("foreign-cpu", {"server-1": 2.0}, {"busy_s": 2.55}, Status.UNKNOWN),
        ("foreign-cpu", {"server-1": 2.7}, {"busy_s": 1.0}, Status.PASS),
        ("steal", {}, {"steal_s": 0.053}, Status.PASS),
        ("steal", {}, {"steal_s": 0.055}, Status.UNKNOWN),
        ("disk", {}, {"disk_stalled_s": 0.0134}, Status.PASS),
        ("disk", {}, {"disk_stalled_s": 0.0136}, Status.UNKNOWN),
    ],
)
def test_each_limit_is_where_it_is_said_to_be(
    run: HandMade, tmp_path: Path, check: str, process: dict[str, float], machine: dict[str, float], status: Status
) -> None:
    """The limits in 2.7 s on two cores: 2.16 s of one process, 0.54 s of foreign programs, 0.054 s of steal, and 0.0135
    s of a stalled disk."""
    assert asked(run, tmp_path, check, lambda recording: _used(recording, process, machine)).status is status


def test_a_machine_of_unknown_size_is_taken_for_one_core(run: HandMade, tmp_path: Path) -> None:
    """0.3 s of foreign programs in 2.7 s are more than a tenth of one core and less than a tenth of two."""

    def spoil(recording: Recording, cores: dict[str, object]) -> Recording:
        return dataclasses.replace(_used(recording, {}, {"busy_s": 0.3}), machine={"cluster": {"versions": {}}} | cores)

    known = asked(run, tmp_path, "foreign-cpu", lambda recording: spoil(recording, {"limits": {"cores": 2}}))
    assert known.status is Status.PASS
    assert doubtful(asked(run, tmp_path, "foreign-cpu", lambda recording: spoil(recording, {})), Bias.PESSIMISTIC)


def test_neither_disk_nor_foreign_programs_are_asked_about_where_they_mean_nothing(
    run: HandMade, tmp_path: Path
) -> None:
    """The parts of an external cluster run on other machines. A disk that was not measured is not checked."""

    def without_disk(recording: Recording) -> Recording:
        samples = [
            {**sample, "machine": {key: value for key, value in sample["machine"].items() if key != "disk_stalled_s"}}
            for sample in recording.telemetry
        ]
        return dataclasses.replace(recording, telemetry=tuple(samples))

    with pytest.raises(StopIteration):
        asked(run, tmp_path, "disk", without_disk)
    run.changes["environment"] = "external"
    checks = {found.check for found in run.verdict(tmp_path).findings}
    assert "steal" in checks
    assert not checks & {"disk", "foreign-cpu"}


def _used(recording: Recording, process: dict[str, float], machine: dict[str, float]) -> Recording:
    """The recording with this CPU time of processes and of the machine in the second sample, 2.7 s after the first
    one."""
    first, last = recording.telemetry
    processes = {name: {**values, "cpu_s": process.get(name, 0.0)} for name, values in last["processes"].items()}
    last = {**last, "processes": processes, "machine": {**last["machine"], **machine}}
    return dataclasses.replace(recording, telemetry=(first, last))
