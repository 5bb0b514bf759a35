"""Images: public ones are pulled if they are missing; the server's own image is built when one of its inputs has
changed."""

import hashlib
import io
import os
import re
import tarfile
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.environments.docker.docker_engine import QUICK_S, STREAM_TIMEOUT_S, Absent, Engine, connect, engine_errors
from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.cluster import SERVER_IMAGE, Topology
from harness.model.component import COMPONENT_KINDS
from harness.model.errors import EnvironmentFailure
from harness.model.registry import load

REPOSITORY = "broadcast-harness-server"
DOCKERFILE = "compose/server.Dockerfile"
COMPOSE_INPUTS = (DOCKERFILE, "compose/server-requirements.txt", "compose/server-settings.json")
PASSED_ON = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
"""Variables of this process that a build may need to reach a package index. They do not get into the final image."""
SAY_EVERY_S = 2.0
LAST_LINES = 15


def build_inputs() -> dict[str, bytes]:
    """All inputs of the server's image, by their paths in the build's context, which is the one that
    compose/compose.yaml uses. Raises EnvironmentFailure if one is missing."""
    found = {}
    for path in COMPOSE_INPUTS:
        found[path] = (_compose_folder() / path.removeprefix("compose/")).read_bytes()
    # Found, not imported: the harness and the server share no code.
    spec = find_spec("reference_server")
    if spec is None or not spec.submodule_search_locations:
        raise EnvironmentFailure("the package reference_server is not installed beside harness; install harness again")
    source = Path(next(iter(spec.submodule_search_locations)))
    for file in sorted(source.rglob("*.py")):
        found[f"reference_server/{file.relative_to(source).as_posix()}"] = file.read_bytes()
    return found


def image_tag(inputs: Mapping[str, bytes]) -> str:
    """The image's name: the same for the same inputs, so that it is built only when they change."""
    digest = hashlib.sha256()
    for path, content in sorted(inputs.items()):
        digest.update(f"{path} {len(content)}\n".encode())
        digest.update(content)
    return f"{REPOSITORY}:{digest.hexdigest()[:12]}"


async def image_of(topology: Topology, engine: Engine, say: Callable[[str], None]) -> str:
    """The image of the servers: the one that the topology names, pulled if it is missing, or our own. Raises
    EnvironmentFailure."""
    if not topology.server_module.startswith(SERVER_IMAGE):
        return await server_image(engine, say)
    name = topology.server_module.removeprefix(SERVER_IMAGE)
    await pulled(engine, name, say)
    return name


async def server_image(engine: Engine, say: Callable[[str], None]) -> str:
    """The server's image, built if it is missing. Raises EnvironmentFailure with the build's last lines."""
    inputs = build_inputs()
    tag = image_tag(inputs)
    if await _has(engine, tag):
        return tag
    await pulled(engine, _base(inputs[DOCKERFILE]), say)
    say(f"building {tag}: it is kept, and built again only when the server's source changes")
    started_s = time.monotonic()
    lines: list[str] = []
    step = re.compile(r"^Step \d+/\d+ : ")

    def see(item: Mapping[str, Any]) -> None:
        if "error" in item:
            lines.append(str(item["error"]).strip())
            failures.append(str(item["error"]).strip())
        for line in str(item.get("stream", "")).strip().splitlines():
            lines.append(line)
            if step.match(line):
                say(f"  {line[:100]}")

    failures: list[str] = []
    await engine.follow(
        lambda: engine.sdk.api.build(
            fileobj=io.BytesIO(_context(inputs)),
            custom_context=True,
            dockerfile=DOCKERFILE,
            tag=tag,
            buildargs={name: os.environ[name] for name in PASSED_ON if os.environ.get(name)},
            rm=True,
            forcerm=True,
            decode=True,
            timeout=STREAM_TIMEOUT_S,
        ),
        see,
    )
    if failures or not await _has(engine, tag):
        raise EnvironmentFailure(
            f"the image {tag} could not be built: {failures[-1] if failures else 'the engine did not say why'}; "
            "a package index other than the public one is taken from PIP_INDEX_URL; last lines of the build:\n  "
            + "\n  ".join(lines[-LAST_LINES:])
        )
    say(f"built {tag} in {time.monotonic() - started_s:.0f} s")
    return tag


async def pulled(engine: Engine, image: str, say: Callable[[str], None]) -> None:
    """Make sure that ``image`` is there: pull it if it is missing. Raises EnvironmentFailure with the reason."""
    if await _has(engine, image):
        return
    say(f"pulling {image}")
    said_s = time.monotonic()
    failures: list[str] = []

    def see(item: Mapping[str, Any]) -> None:
        nonlocal said_s
        if "error" in item:
            failures.append(str(item["error"]).strip())
        elif item.get("progress") and time.monotonic() - said_s > SAY_EVERY_S:
            said_s = time.monotonic()
            say(f"  {item.get('id', '')} {item.get('status', '')} {item['progress']}"[:100])

    repository, _, tag = image.rpartition(":")
    try:
        await engine.follow(lambda: engine.sdk.api.pull(repository, tag=tag, stream=True, decode=True), see)
    except EnvironmentFailure as error:
        failures.append(str(error))
    if failures or not await _has(engine, image):
        reason = failures[-1] if failures else "the engine did not say why"
        raise EnvironmentFailure(
            f"the image {image} is not here and cannot be pulled: {reason}; "
            f"see whether `docker pull {image}` works, load it with `docker load`, or use --environment embedded"
        )


async def image_id(engine: Engine, image: str) -> str:
    """The exact image, as the engine names it."""
    return str((await engine.call(engine.sdk.images.get, image)).id)


def store_images() -> list[str]:
    """The images of every kind of database and broker of an ordinary installation."""
    starters = [kind.starters["docker"] for kind in COMPONENT_KINDS if "docker" in kind.starters and not kind.optional]
    topology = Topology(servers=1, backplane=BACKPLANES.default.name, write_path=WRITE_PATHS.default.name, run_id="")
    return [load(path)("store", "", topology).image for path in starters]


def diagnose() -> tuple[str, str]:
    """Which of the docker environment's requirements are met, and what to do; the latter is empty if all are met."""
    try:
        with connect(timeout_s=QUICK_S) as engine, engine_errors():
            here = {tag for image in engine.sdk.images.list() for tag in image.tags}
            found = f"engine {engine.version} at {engine.address or 'its usual address'}"
        inputs = build_inputs()
    except EnvironmentFailure as error:
        return "no engine", f"only for --environment docker: {error}"
    built = image_tag(inputs) in here
    wanted = (*store_images(), *(() if built else (_base(inputs[DOCKERFILE]),)))
    missing = [image for image in wanted if image not in here]
    if not missing:
        return f"{found}, {'all images' if built else 'all images but the server, which the first run builds'}", ""
    advice = f"the first run pulls them; where no registry can be reached, load them: {', '.join(missing)}"
    return f"{found}, {len(missing)} images missing", advice


def _compose_folder() -> Path:
    """In a checkout the folder is beside the packages; in an installation from a wheel it is inside our package."""
    checkout = Path(__file__).resolve().parents[3] / "compose"
    folder = checkout if checkout.is_dir() else Path(__file__).resolve().parents[1] / "compose"
    if not (folder / "server.Dockerfile").exists():
        raise EnvironmentFailure(
            f"{folder}/server.Dockerfile is missing: expected in every installation; install again"
        )
    return folder


def _base(dockerfile: bytes) -> str:
    found = re.search(rb"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert found is not None, "a Dockerfile begins FROM something"
    return found[1].decode()


def _context(inputs: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in sorted(inputs.items()):
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = 0o644, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


async def _has(engine: Engine, image: str) -> bool:
    try:
        await engine.call(engine.sdk.images.get, image)
    except Absent:
        return False
    return True
