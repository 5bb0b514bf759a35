"""`harness up`, `rebroadcast` and `down`: a cluster for experiments by hand, without a run."""

import asyncio
import os
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from harness.environments import open_environment
from harness.environments import playground_notes as up_state
from harness.environments.guard import Guard
from harness.interruption import interrupted_by
from harness.load.protocol.rebroadcast_request import rebroadcast
from harness.model.addresses import parse_servers, read_authorities
from harness.model.backplane import BACKPLANES, WRITE_PATHS, unfit
from harness.model.backplane_setting import chosen
from harness.model.child_process import child_environment, python_program
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.cluster import Cluster, Topology
from harness.model.environment import ENVIRONMENTS
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.secret import read_token
from harness.model.tls import Tls
from harness.observation.limits import raise_descriptor_limit
from harness.planning.objections import address_objections
from harness.protocol import open_protocol
from harness.protocol.contract import ClientProtocol


def bring_up(
    *,
    servers: int,
    environment: str,
    backplane: str,
    backplane_settings: tuple[str, ...],
    write_path: str,
    recovery: str,
    detach: bool,
) -> None:
    """Start a cluster, say how to use it, and keep it until Ctrl-C or `harness down`.

    With ``detach`` a separate process keeps it, and this one returns when it is up. Raises EnvironmentFailure if it
    cannot start, or when one of its processes dies.
    """
    values = chosen(backplane_settings, BACKPLANES.get(backplane).settings, backplane)
    if reason := unfit(WRITE_PATHS.get(write_path), BACKPLANES.get(backplane)):
        raise UsageError(reason)
    if detach:
        asked = [word for text in backplane_settings for word in ("--backplane-setting", text)]
        arguments = ["up", "--servers", str(servers), "--environment", environment, "--recovery", recovery]
        _detach(
            [*arguments, "--backplane", backplane, *asked, "--write-path", write_path],
            ENVIRONMENTS.get(environment).start_limit_s,
        )
        return
    raise_descriptor_limit()
    topology = Topology(
        servers=servers,
        backplane=backplane,
        backplane_settings=values,
        write_path=write_path,
        run_id="playground",
        recovery=recovery,
    )
    asyncio.run(_hold(environment, topology))


def bring_down() -> None:
    """Stop every playground of this user and remove what dead runs left, in the Docker engine too if one answers."""
    from harness.environments.docker.leftovers import remove_leftovers

    states = up_state.read_all()
    for state in states:
        up_state.stop(state, timeout_s=20)
        print(f"stopped the cluster of process {state.pid} ({', '.join(state.urls)})")
    removed = [f"removed {folder}, left behind by a dead run" for folder in up_state.remove_leftovers()]
    removed += remove_leftovers()
    for sentence in removed:
        print(sentence)
    if not states and not removed:
        print("nothing to stop: no cluster was started with `harness up`, and no dead run left anything behind")


def rebroadcast_by_hand(
    server_urls: tuple[str, ...], *, channel: str | None, ca_file: str, insecure: bool
) -> dict[str, dict[str, int]]:
    """Ask these servers, or without ``urls`` those of every cluster that `harness up` keeps: the answer of each, by
    address. Raises UsageError if there is no server or no token, EnvironmentFailure with every server that refused.
    """
    if against := address_objections(server_urls, ca_file=ca_file, insecure=insecure):
        raise UsageError(*against)
    tls = Tls(authorities=read_authorities(ca_file) if ca_file else "", insecure=insecure)
    if server_urls:
        asked = [(server_urls, read_token("--server"))]
    else:
        asked = [(state.urls, (state.folder / "token").read_text(encoding="utf-8")) for state in up_state.read_all()]
    if not asked:
        raise UsageError("no cluster is up: start one with `harness up`, or name servers with --server")
    protocol = open_protocol(CLIENT_PROTOCOLS.default.name)
    found: dict[str, dict[str, int]] = {}
    for urls, token in asked:
        servers = [replace(address, name=address.url) for address in parse_servers(urls, tls)]
        answers = asyncio.run(rebroadcast(protocol, servers, token, channel=channel))
        found |= {url: {"channels": answer.channels, "messages": answer.messages} for url, answer in answers.items()}
    return found


async def _hold(environment: str, topology: Topology) -> None:
    ended = asyncio.Event()
    with interrupted_by(ended.set), Guard() as guard, tempfile.TemporaryDirectory(prefix="harness-up-") as folder:
        guard.watch_folder(Path(folder))
        start = asyncio.ensure_future(_start_and_hold(environment, topology, Path(folder), ended))
        waiter = asyncio.ensure_future(ended.wait())
        await asyncio.wait({start, waiter}, return_when=asyncio.FIRST_COMPLETED)
        if not start.done():
            # Ctrl-C while it starts: cut the start short. Once it is up, it ends by itself when it sees the event.
            await asyncio.wait({start}, timeout=0.5)
        start.cancel()
        waiter.cancel()
        try:
            await start
        except asyncio.CancelledError:
            print("stopped")


async def _start_and_hold(environment: str, topology: Topology, folder: Path, ended: asyncio.Event) -> None:
    async with open_environment(environment, topology=topology, folder=folder, say=print) as cluster:
        with up_state.published(cluster) as token_file:
            _explain(cluster, open_protocol(topology.protocol), token_file)
            while not ended.is_set():
                if casualties := cluster.casualties():
                    raise EnvironmentFailure("; ".join(casualties))
                await asyncio.sleep(0.2)
    print("stopped", flush=True)


def _explain(cluster: Cluster, protocol: ClientProtocol, token_file: Path) -> None:
    lines = [
        f"{len(cluster.servers)} servers are up:",
        *(f"  {server.name}  {server.url}" for server in cluster.servers),
        f"the token is in {token_file}",
        "",
        f"  TOKEN=$(cat {token_file})",
        *(f"  {command}" for command in protocol.examples(cluster.servers[0])),
        "",
        "docs/protocol.md describes the rest; Ctrl-C or `harness down` ends it",
    ]
    print("\n".join(lines), flush=True)


def _detach(arguments: list[str], limit_s: float) -> None:
    """Start `harness` with ``arguments`` in its own session and wait until its cluster is up."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace") as output:
        process = subprocess.Popen(
            python_program("harness.cli", *arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**child_environment(), **_own_variables()},
        )
        deadline_s = time.monotonic() + limit_s
        while time.monotonic() < deadline_s:
            time.sleep(0.1)
            ready = up_state.find(process.pid) is not None
            ended = process.poll() is not None
            if ready or ended:
                time.sleep(0.1)
                output.seek(0)
                text = output.read().strip()
                if ended:
                    raise EnvironmentFailure(f"the cluster did not come up: {text}")
                print(text)
                return
        process.terminate()
        raise EnvironmentFailure(f"the cluster was not up after {limit_s:g} s")


def _own_variables() -> dict[str, str]:
    """The harness's own variables: a harness that is started as a child needs the same ones."""
    return {name: value for name, value in os.environ.items() if name.startswith("HARNESS_")}
