"""What containers are made of."""

import io
import json
import tarfile
from dataclasses import asdict, replace

import pytest

from harness.environments.docker_recipe import Recipe, Secrets, archive, postgres_recipe, redis_recipe, server_recipe
from harness.environments.postgres import SETTINGS
from harness.model.cluster import Topology
from reference_server.settings import Settings

SECRETS = Secrets(token="tttt", postgres="pppp", redis="rrrr")
TOPOLOGY = Topology(servers=1, backplane="redis", write_path="db-first", run_id="rtest", recovery="manual")
HOSTS = {"postgres": "10.0.0.2", "redis": "10.0.0.3"}


def server(topology: Topology = TOPOLOGY, hosts: dict[str, str] = HOSTS) -> Recipe:
    return server_recipe("server-1", "image:1", topology, SECRETS, hosts)


@pytest.mark.parametrize("recipe", [postgres_recipe(SECRETS), redis_recipe(SECRETS), server()], ids=lambda r: r.role)
def test_secrets_are_in_files_only(recipe: Recipe) -> None:
    """`docker inspect` shows everything else, and so does a repr in a traceback."""
    rest = json.dumps({name: value for name, value in asdict(recipe).items() if name != "files"}, default=str)
    assert not any(secret in rest or secret in repr(recipe) for secret in ("tttt", "pppp", "rrrr"))
    assert any(secret in "".join(recipe.files.values()) for secret in ("tttt", "pppp", "rrrr"))
    assert "tttt" not in repr(SECRETS)


def test_a_server_is_told_what_the_plan_says() -> None:
    """Its settings are those of the topology, with secrets by file."""
    settings = json.loads(server().files["etc/broadcast-server/settings.json"])
    assert set(settings) <= set(Settings.__struct_fields__)
    assert settings["recovery"] == "manual"
    assert settings["backplane"]["password_file"] == "/run/secrets/redis-password"


def test_without_redis_nobody_speaks_of_it() -> None:
    """A backplane in memory has no Redis, no password for it and no name."""
    recipe = server(replace(TOPOLOGY, backplane="memory"), {"postgres": "10.0.0.2"})
    settings = json.loads(recipe.files["etc/broadcast-server/settings.json"])
    assert "redis" not in settings
    assert settings["backplane"] == {"name": "memory"}
    assert "run/secrets/redis-password" not in recipe.files


def test_the_database_has_the_embedded_ones_settings() -> None:
    """All but where it listens, so that both environments measure the same."""
    command = postgres_recipe(SECRETS).command or ()
    for name in ("fsync", "synchronous_commit", "max_wal_size", "shared_buffers"):
        assert f"{name}={SETTINGS[name]}" in command
    assert not any("listen" in part for part in command)


def test_files_are_readable_inside() -> None:
    """The program in the container is not root."""
    with tarfile.open(fileobj=io.BytesIO(archive({"run/secrets/token": "tttt"}))) as tar:
        assert [(entry.name, entry.mode) for entry in tar] == [("run/secrets", 0o755), ("run/secrets/token", 0o444)]
        file = tar.extractfile("run/secrets/token")
        assert file is not None
        assert file.read() == b"tttt"
