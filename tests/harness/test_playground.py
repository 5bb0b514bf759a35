"""`up`, `down` and `rebroadcast` with stand-ins for clusters: their calls, refusals and output."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import playground
from harness.environments.docker import leftovers
from harness.environments.playground_notes import UpState
from harness.model.cluster import Topology
from harness.model.errors import EnvironmentFailure, UsageError

ASKED: dict[str, Any] = {
    "servers": 2,
    "environment": "embedded",
    "backplane": "redis",
    "backplane_settings": (),
    "write_path": "db-first",
    "recovery": "automatic",
    "detach": False,
}


class Cluster:
    """Two running servers. ``casualties`` are the answers to the questions for casualties, in order."""

    def __init__(self, *casualties: list[str]) -> None:
        self.servers = [SimpleNamespace(name=f"server-{n}", url=f"http://127.0.0.1:{n}") for n in (1, 2)]
        self.answers = list(casualties)

    def casualties(self) -> list[str]:
        return self.answers.pop(0) if self.answers else []


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Topology]:
    """The topologies that were opened. Each cluster dies at once, so the tests do not wait."""
    found: list[Topology] = []

    @asynccontextmanager
    async def open_environment(name: str, *, topology: Topology, folder: Path, say: Any) -> AsyncIterator[Cluster]:
        found.append(topology)
        yield Cluster([], ["server-1 died", "server-2 died"])

    @contextmanager
    def published(cluster: Cluster) -> Iterator[Path]:
        yield tmp_path / "token"

    monkeypatch.setattr(playground, "open_environment", open_environment)
    monkeypatch.setattr(playground.up_state, "published", published)
    monkeypatch.setattr(playground, "raise_descriptor_limit", lambda: None)
    return found


def test_a_cluster_is_explained_and_a_death_in_it_ends_it(
    opened: list[Topology], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The output has the addresses and the token. The error names every dead process."""
    with pytest.raises(EnvironmentFailure, match="server-1 died; server-2 died"):
        playground.bring_up(**ASKED | {"backplane": "postgres-poll", "backplane_settings": ("interval_ms=20",)})
    shown = capsys.readouterr().out
    assert "2 servers are up:" in shown
    assert "server-2  http://127.0.0.1:2" in shown
    assert f"TOKEN=$(cat {tmp_path / 'token'})" in shown
    (topology,) = opened
    assert (topology.servers, topology.backplane, topology.recovery) == (2, "postgres-poll", "automatic")
    assert dict(topology.backplane_settings) == {"interval_ms": 20.0}


def test_ctrl_c_ends_a_cluster_that_is_up(opened: list[Topology], capsys: pytest.CaptureFixture[str]) -> None:
    """The cluster's process sees the event and stops the cluster itself."""

    async def main() -> None:
        ended = asyncio.Event()
        ended.set()
        topology = Topology(servers=2, backplane="redis", write_path="db-first", run_id="r")
        await playground._start_and_hold("embedded", topology, Path(), ended)

    asyncio.run(main())
    assert capsys.readouterr().out.endswith("stopped\n")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backplane_settings": ("speed=1",)}, "speed"),
        ({"write_path": "broker-first", "backplane": "mesh"}, "its numbers come from the broker"),
    ],
)
@pytest.mark.parametrize("detach", [False, True])
def test_what_does_not_go_together_is_refused_before_the_start(
    opened: list[Topology], monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str, detach: bool
) -> None:
    """The first process refuses it, with --detach and without."""
    monkeypatch.setattr(playground, "_detach", lambda *_: pytest.fail("it was started"))
    with pytest.raises(UsageError, match=words):
        playground.bring_up(**ASKED | changes | {"detach": detach})
    assert opened == []


def test_a_detached_process_is_asked_for_the_same(opened: list[Topology], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every option is passed on. This process opens no cluster."""
    calls: list[list[str]] = []
    monkeypatch.setattr(playground, "_detach", lambda arguments, limit_s: calls.append(arguments))
    playground.bring_up(
        **ASKED
        | {"detach": True, "backplane": "postgres-poll", "backplane_settings": ("interval_ms=20",), "servers": 3}
    )
    (words,) = calls
    assert words[0] == "up"
    assert dict(zip(words[1::2], words[2::2], strict=True)) == {
        "--servers": "3",
        "--environment": "embedded",
        "--recovery": "automatic",
        "--backplane": "postgres-poll",
        "--backplane-setting": "interval_ms=20",
        "--write-path": "db-first",
    }
    assert opened == []


class Process:
    """A child process that has ended or is still running."""

    def __init__(self, ended: bool) -> None:
        self.pid = 7
        self.ended = ended
        self.terminated = False

    def poll(self) -> int | None:
        return 4 if self.ended else None

    def terminate(self) -> None:
        self.terminated = True


def detached(
    monkeypatch: pytest.MonkeyPatch, *, ended: bool = False, ready: bool = False, limit_s: float = 5.0
) -> Process:
    process = Process(ended)

    def started(*_: Any, stdout: Any, **__: Any) -> Process:
        stdout.write("words of the child\n")
        stdout.flush()
        return process

    monkeypatch.setattr(playground.subprocess, "Popen", started)
    monkeypatch.setattr(playground.up_state, "find", lambda pid: "a note" if ready and pid == 7 else None)
    monkeypatch.setattr(playground, "time", SimpleNamespace(monotonic=playground.time.monotonic, sleep=lambda _: None))
    playground._detach(["up"], limit_s)
    return process


def test_a_detached_cluster_that_is_up_says_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The child's output is shown, and the child keeps running."""
    assert not detached(monkeypatch, ready=True).terminated
    assert capsys.readouterr().out == "words of the child\n"


def test_a_detached_cluster_that_ended_or_takes_too_long_did_not_come_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error quotes the child's last output. A child that was ready but has ended counts as failed."""
    for ready in (False, True):
        with pytest.raises(EnvironmentFailure, match="did not come up: words of the child"):
            detached(monkeypatch, ended=True, ready=ready)
    with pytest.raises(EnvironmentFailure, match="not up after 0 s"):
        detached(monkeypatch, limit_s=0)


@pytest.mark.parametrize(
    ("states", "folders", "engine", "lines"),
    [
        ([], [], [], ["nothing to stop"]),
        ([1], [], [], ["stopped the cluster of process 1"]),
        ([1, 2], ["left"], ["removed a network"], ["stopped", "stopped", "removed left", "removed a network"]),
        ([], [], ["removed a network"], ["removed a network"]),
    ],
)
def test_down_says_what_it_stopped_and_removed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    states: list[int],
    folders: list[str],
    engine: list[str],
    lines: list[str],
) -> None:
    """If there was nothing to stop, it says so."""
    stopped: list[int] = []
    found = [UpState(pid=pid, started="now", urls=("http://a",), folder=Path()) for pid in states]
    monkeypatch.setattr(playground.up_state, "read_all", lambda: found)
    monkeypatch.setattr(playground.up_state, "stop", lambda state, timeout_s: stopped.append(state.pid))
    monkeypatch.setattr(playground.up_state, "remove_leftovers", lambda: folders)
    monkeypatch.setattr(leftovers, "remove_leftovers", lambda: engine)
    playground.bring_down()
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == len(lines)
    assert all(line.startswith(words) for line, words in zip(shown, lines, strict=True))
    assert stopped == states


def test_servers_of_every_cluster_that_is_up_are_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each server is asked with the token of its own cluster. Without a cluster the command is refused."""
    asked: list[tuple[str, list[str], str | None]] = []

    async def rebroadcast(protocol: Any, servers: Any, token: str, *, channel: str | None) -> dict[str, Any]:
        asked.append((token, [server.url for server in servers], channel))
        return {server.name: SimpleNamespace(channels=1, messages=len(token)) for server in servers}

    states = []
    for n, token in enumerate(("t", "ttt"), 1):
        folder = tmp_path / token
        folder.mkdir()
        (folder / "token").write_text(token)
        states.append(UpState(pid=n, started="now", urls=(f"http://127.0.0.1:{n}",), folder=folder))
    monkeypatch.setattr(playground, "rebroadcast", rebroadcast)
    monkeypatch.setattr(playground.up_state, "read_all", lambda: states)
    found = playground.rebroadcast_by_hand((), channel="c", ca_file="", insecure=False)
    assert asked == [("t", ["http://127.0.0.1:1"], "c"), ("ttt", ["http://127.0.0.1:2"], "c")]
    assert [counts["messages"] for counts in found.values()] == [1, 3]
    assert list(found) == ["http://127.0.0.1:1", "http://127.0.0.1:2"]
    states.clear()
    with pytest.raises(UsageError, match="no cluster is up"):
        playground.rebroadcast_by_hand((), channel=None, ca_file="", insecure=False)


def test_addresses_that_cannot_be_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong address is reported before a missing token."""
    monkeypatch.delenv("HARNESS_TOKEN", raising=False)
    with pytest.raises(UsageError, match="nonsense"):
        playground.rebroadcast_by_hand(("nonsense",), channel=None, ca_file="", insecure=False)
    with pytest.raises(UsageError, match="HARNESS_TOKEN"):
        playground.rebroadcast_by_hand(("http://127.0.0.1:1",), channel=None, ca_file="", insecure=False)
