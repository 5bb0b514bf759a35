"""The recipes of the containers."""

import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import asdict, replace

import pytest

from harness.environments.docker.kafka_recipe import kafka_recipe
from harness.environments.docker.nats_recipe import nats_recipe
from harness.environments.docker.recipe import Recipe, Secrets, archive, postgresql_recipe, server_recipe
from harness.environments.docker.redis_recipe import redis_recipe
from harness.environments.postgresql_settings import postgresql_settings
from harness.model.cluster import Topology
from harness.model.component import Role
from reference_server.settings import Settings

SECRETS = Secrets(token="tttt", database="pppp", broker="rrrr")
TOPOLOGY = Topology(servers=1, backplane="redis", write_path="db-first", run_id="rtest", recovery="manual")
HOSTS = {"database": "10.0.0.2", "broker": "10.0.0.3"}


DATABASE = postgresql_recipe("database", SECRETS.database, TOPOLOGY)
BROKER = redis_recipe("broker", SECRETS.broker, TOPOLOGY)


def server(topology: Topology = TOPOLOGY, hosts: dict[str, str] = HOSTS) -> Recipe:
    stores = {Role.DATABASE: DATABASE, Role.BROKER: BROKER}
    wanted = {role: recipe for role, recipe in stores.items() if recipe.name in hosts}
    return server_recipe("server-1", "image:1", topology, SECRETS, hosts, wanted)


@pytest.mark.parametrize(
    "recipe",
    [
        *(DATABASE, BROKER, server()),
        *(make("broker", SECRETS.broker, TOPOLOGY) for make in (nats_recipe, kafka_recipe)),
    ],
    ids=lambda recipe: f"{recipe.role}-{recipe.kind}",
)
def test_secrets_are_in_files_only(recipe: Recipe) -> None:
    """`docker inspect` shows everything else, and so does a repr in a traceback."""
    rest = json.dumps({name: value for name, value in asdict(recipe).items() if name != "files"}, default=str)
    assert not any(secret in rest or secret in repr(recipe) for secret in ("tttt", "pppp", "rrrr"))
    assert any(secret in "".join(recipe.files.values()) for secret in ("tttt", "pppp", "rrrr"))
    assert "tttt" not in repr(SECRETS)


def test_a_server_is_told_what_the_plan_says() -> None:
    """The server's settings are those of the topology. Secrets are given by file."""
    settings = json.loads(server().files["etc/broadcast-server/settings.json"])
    assert set(settings) <= set(Settings.__struct_fields__)
    assert settings["recovery"] == "manual"
    assert settings["backplane"]["name"] == "redis"
    assert settings["backplane"]["password_file"] == "/run/secrets/broker-password"


@pytest.mark.parametrize(("make", "user"), [(redis_recipe, None), (nats_recipe, "harness"), (kafka_recipe, "harness")])
def test_a_server_is_told_the_brokers_user(make: Callable[..., Recipe], user: str | None) -> None:
    """Only some kinds of broker have a user."""
    stores = {Role.DATABASE: DATABASE, Role.BROKER: make("broker", SECRETS.broker, TOPOLOGY)}
    recipe = server_recipe("server-1", "image:1", TOPOLOGY, SECRETS, HOSTS, stores)
    backplane = json.loads(recipe.files["etc/broadcast-server/settings.json"])["backplane"]
    assert backplane.get("username") == user


def test_without_a_broker_the_settings_name_none() -> None:
    """A backplane in memory has no broker. The settings hold no address and no password for it."""
    recipe = server(replace(TOPOLOGY, backplane="memory"), {"database": "10.0.0.2"})
    assert json.loads(recipe.files["etc/broadcast-server/settings.json"])["backplane"] == {"name": "memory"}
    assert "run/secrets/broker-password" not in recipe.files


def test_the_database_has_the_embedded_ones_settings() -> None:
    """Both environments must measure the same. Only the image decides at which address the database listens."""
    command = DATABASE.command or ()
    for name, value in postgresql_settings(TOPOLOGY).items():
        assert f"{name}={value}" in command
    assert not any("listen" in part for part in command)


def test_files_are_readable_inside() -> None:
    """The program in the container does not run as root."""
    with tarfile.open(fileobj=io.BytesIO(archive({"run/secrets/token": "tttt"}))) as tar:
        assert [(entry.name, entry.mode) for entry in tar] == [("run/secrets", 0o755), ("run/secrets/token", 0o444)]
        file = tar.extractfile("run/secrets/token")
        assert file is not None
        assert file.read() == b"tttt"
