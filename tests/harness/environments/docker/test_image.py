"""The server's image and the public ones."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness.environments.docker import image as docker_image
from harness.environments.docker.docker_engine import connect
from harness.environments.docker.image import (
    DOCKERFILE,
    build_inputs,
    image_of,
    image_tag,
    pulled,
    server_image,
    store_images,
)
from harness.model.cluster import Topology
from harness.model.errors import EnvironmentFailure

ROOT = Path(__file__).resolve().parents[4]


def test_the_image_has_another_name_when_anything_in_it_changes() -> None:
    """Equal inputs give the same name, so the image is built only when something changed."""
    inputs = build_inputs()
    assert image_tag(inputs) == image_tag(build_inputs())
    for path in ("compose/server-requirements.txt", DOCKERFILE, "reference_server/server.py"):
        assert image_tag(inputs | {path: inputs[path] + b"\n"}) != image_tag(inputs)


def test_a_topology_may_name_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """A named image is pulled and nothing is built. Without a name the harness builds its own image."""
    asked: list[tuple[str, str]] = []

    async def pull(engine: object, name: str, say: object) -> None:
        asked.append(("pull", name))

    async def build(engine: object, say: object) -> str:
        asked.append(("build", ""))
        return "ours:1"

    monkeypatch.setattr(docker_image, "pulled", pull)
    monkeypatch.setattr(docker_image, "server_image", build)
    engine: Any = None
    topology = Topology(servers=1, backplane="redis", write_path="db-first", run_id="r")
    assert asyncio.run(image_of(topology, engine, print)) == "ours:1"
    theirs = replace(topology, server_module="image:registry:5000/mine:2")
    assert asyncio.run(image_of(theirs, engine, print)) == "registry:5000/mine:2"
    assert asked == [("build", ""), ("pull", "registry:5000/mine:2")]


def test_the_image_has_the_packages_that_are_tested() -> None:
    """Its pins are those of constraints.txt. The packages that the server imports are among them."""
    pins = (ROOT / "compose/server-requirements.txt").read_text().split()
    assert pins
    assert set(pins) <= set((ROOT / "constraints.txt").read_text().split())
    source = "\n".join(path.read_text() for path in (ROOT / "reference_server").rglob("*.py"))
    names = {pin.partition("==")[0] for pin in pins}
    for package in ("asyncpg", "hiredis", "msgspec", "starlette", "uvicorn", "uvloop", "websockets"):
        assert re.search(rf"^(import|from) {package}\b", source, re.MULTILINE)
        assert package in names


def test_the_dockerfile_is_what_it_is_said_to_be() -> None:
    """It starts from the public image, has a health check, and its user is not root. Everything that it copies
    exists."""
    dockerfile = (ROOT / DOCKERFILE).read_text()
    assert "FROM python:3.13-slim" in dockerfile
    assert re.search(r"^USER server$", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", dockerfile, re.MULTILINE)
    inputs = build_inputs()
    for source in re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE):
        assert any(path == source or path.startswith(f"{source}/") for path in inputs), source


@pytest.mark.docker
def test_an_image_that_cannot_be_had_is_named() -> None:
    """The message names the image and the reason."""

    async def scenario() -> None:
        with connect() as engine:
            await pulled(engine, "127.0.0.1:1/nothing:here", print)

    with pytest.raises(
        EnvironmentFailure, match=r"127\.0\.0\.1:1/nothing:here is not here and cannot be pulled: .*refused"
    ):
        asyncio.run(scenario())


@pytest.mark.docker
def test_a_build_that_fails_is_quoted() -> None:
    """The message ends with the last output of the build. The steps of the build were reported while it ran."""
    said: list[str] = []
    inputs = {DOCKERFILE: b"FROM python:3.13-slim\nRUN echo planted reason && exit 7\n"}

    async def scenario() -> None:
        with connect() as engine:
            await server_image(engine, said.append)

    with (
        mock.patch.object(docker_image, "build_inputs", return_value=inputs),
        pytest.raises(EnvironmentFailure, match=r"(?s)could not be built.*exit 7.*code: 7.*planted reason"),
    ):
        asyncio.run(scenario())
    assert any("Step 2/2" in line for line in said)


def test_the_images_of_databases_and_brokers_are_known_without_a_run() -> None:
    """`harness doctor` needs their names."""
    assert {name.partition(":")[0] for name in store_images()} == {"postgres", "redis"}
