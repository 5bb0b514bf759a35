"""The start of Kafka with stand-ins for Java: the files, the command lines, and the messages when it fails."""

import asyncio
import stat
from pathlib import Path
from typing import Any

import pytest

from harness.environments.embedded import kafka_child
from harness.environments.embedded.start import Start
from harness.model.errors import EnvironmentFailure


class Watching:
    """A guard that only records the pids of the processes."""

    def __init__(self) -> None:
        self.pids: list[int] = []

    def watch_process(self, pid: int) -> None:
        self.pids.append(pid)


def a_start(folder: Path) -> Start:
    topology: Any = None
    guard: Any = Watching()
    return Start(topology=topology, name="broker", folder=folder, log=folder / "log", guard=guard, password="secret")


def format_with(script: str, folder: Path) -> Watching:
    """Runs a shell script in place of the storage tool."""
    guard = Watching()
    stand_in: Any = guard
    asyncio.run(
        kafka_child._format(["/bin/sh", "-c", script, "tool"], folder / "s.properties", folder / "log", stand_in)
    )
    return guard


def test_without_jars_or_java_everything_that_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One message lists all of it. Nothing was written before."""
    monkeypatch.setattr(kafka_child, "missing_kafka", lambda: ["no jars.", "no Java."])
    for libraries, program in ((None, Path("java")), (tmp_path, None)):
        monkeypatch.setattr(kafka_child, "kafka_libraries", lambda found=libraries: found)
        monkeypatch.setattr(kafka_child, "java", lambda found=program: found)
        with pytest.raises(EnvironmentFailure, match=r"no jars\. no Java\."):
            asyncio.run(kafka_child.start_kafka(a_start(tmp_path)))
    assert list(tmp_path.iterdir()) == []


def test_the_storage_tool_gets_the_cluster_and_the_settings(tmp_path: Path) -> None:
    """The tool's output is in the log. The guard watches the tool, so it ends if the harness is killed."""
    guard = format_with('echo "$@"', tmp_path)
    assert (tmp_path / "log").read_text() == f"-t {kafka_child.CLUSTER_ID} -c {tmp_path / 's.properties'}\n"
    assert len(guard.pids) == 1


def test_a_storage_tool_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    """The message gives the exit code and the tool's last output."""
    with pytest.raises(EnvironmentFailure, match=r"(?s)exit code 3.*disk is full"):
        format_with("echo the disk is full >&2; exit 3", tmp_path)


def test_a_storage_tool_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The tool's process does not outlive the start."""
    monkeypatch.setattr(kafka_child, "START_TIMEOUT_S", 0.2)
    with pytest.raises(TimeoutError):
        format_with(f"echo $$ > {tmp_path / 'pid'}; exec sleep 60", tmp_path)
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()


def test_kafka_gets_a_folder_and_settings_that_only_their_owner_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The password is in the file and not on the command line. Kafka gets the port that was found free."""
    formatted: list[list[str]] = []
    commands: list[list[str]] = []

    async def note(command: list[str], *_: Any) -> None:
        formatted.append(command)

    class Noted:
        def __init__(self, name: str, role: Any, kind: str, command: list[str], **_: Any) -> None:
            commands.append(command)

    async def first_port(start: Start, make: Any, **_: Any) -> Any:
        return make(4711)

    monkeypatch.setattr(kafka_child, "kafka_libraries", lambda: tmp_path / "libs")
    monkeypatch.setattr(kafka_child, "java", lambda: Path("/java"))
    monkeypatch.setattr(kafka_child, "_format", note)
    monkeypatch.setattr(kafka_child, "Child", Noted)
    monkeypatch.setattr(kafka_child, "on_free_port", first_port)
    made: Any = asyncio.run(kafka_child.start_kafka(a_start(tmp_path)))
    endpoint = made[1]
    settings = tmp_path / "kafka" / "server.properties"
    assert (endpoint.kind, endpoint.port, endpoint.password, endpoint.owned) == ("kafka", 4711, "secret", True)
    assert stat.S_IMODE((tmp_path / "kafka").stat().st_mode) == 0o700
    assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    assert "127.0.0.1:4711" in settings.read_text()
    assert "secret" in settings.read_text()
    assert "kafka.tools.StorageTool" in formatted[0]
    assert commands[0][-2:] == ["kafka.Kafka", str(settings)]
    assert not any("secret" in word for word in (*formatted[0], *commands[0]))
