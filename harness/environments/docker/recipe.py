"""The recipe of each container. Secrets are in its files only: everything else can be read with `docker inspect`."""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.environments.postgresql_settings import postgresql_settings
from harness.environments.server_settings import server_settings
from harness.model.cluster import Topology
from harness.model.component import COMPONENT_KINDS, Role

KIND = "postgresql"
POSTGRES_IMAGE = "postgres:17"
SERVER_PORT = 8000
LINK_PORT = 7000
"""where servers accept links of other servers"""
SECRETS = "run/secrets"
SERVER_SETTINGS = "etc/broadcast-server"
OPEN_FILES = 16_384
"""For 10,000 clients and the other files of a server. Not more: an engine cannot raise a container's limit beyond its
own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The token and the passwords of one cluster."""

    token: str = field(repr=False)
    database: str = field(repr=False)
    broker: str = field(repr=False)

    def of(self, role: Role) -> str:
        """The password of the database or of the broker."""
        return {Role.DATABASE: self.database, Role.BROKER: self.broker}[role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One container. ``files`` are put into it before it starts, by their path without the leading slash. ``user`` and
    ``database`` are what a client of a database or of a broker gives; empty if its kind has none."""

    name: str
    role: Role
    kind: str
    image: str
    port: int
    files: Mapping[str, str] = field(repr=False)
    command: tuple[str, ...] | None = None
    """None: the image's own"""
    environment: Mapping[str, str] = field(default_factory=dict)
    open_files: int = OPEN_FILES
    user: str = ""
    database: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def postgresql_recipe(name: str, password: str, topology: Topology) -> Recipe:
    """PostgreSQL with the same settings as in the embedded environment. The image decides where it listens."""
    settings = [part for setting in postgresql_settings(topology).items() for part in ("-c", "=".join(setting))]
    return Recipe(
        name=name,
        role=Role.DATABASE,
        kind=KIND,
        image=POSTGRES_IMAGE,
        port=COMPONENT_KINDS.get(KIND).default_port,
        user="postgres",
        database="postgres",
        command=("postgres", *settings),
        environment={
            "POSTGRES_PASSWORD_FILE": f"/{SECRETS}/{name}-password",
            # The data folder lasts only as long as the run, so its creation need not wait for the disk; the running
            # PostgreSQL does.
            "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C --no-sync",
        },
        files={f"{SECRETS}/{name}-password": password},
        options={"shm_size": "256m"},
    )


def server_recipe(
    name: str, image: str, topology: Topology, secrets: Secrets, hosts: Mapping[str, str], stores: Mapping[Role, Recipe]
) -> Recipe:
    """A reference server. ``hosts``: the address of every other part by its name. ``stores``: the recipes of the
    database and, where there is one, of the broker."""
    addresses = {role: _address(recipe) for role, recipe in stores.items()}
    settings = server_settings(
        topology,
        name=name,
        host="0.0.0.0",  # noqa: S104 - the container's own network, which only this run's containers are on
        port=SERVER_PORT,
        token={"token_file": f"/{SECRETS}/token"},
        database=addresses[Role.DATABASE],
        broker=addresses.get(Role.BROKER),
        links={f"server-{n}": (f"server-{n}", LINK_PORT) for n in range(1, topology.servers + 1)},
        bind="0.0.0.0",  # noqa: S104 - as above
    )
    files = {f"{SECRETS}/token": secrets.token}
    files |= {_password_file(recipe): secrets.of(role) for role, recipe in stores.items()}
    files[f"{SERVER_SETTINGS}/settings.json"] = json.dumps(settings)
    return Recipe(
        name=name,
        role=Role.SERVER,
        kind=topology.server_module,
        image=image,
        port=SERVER_PORT,
        files=files,
        options={
            # Names in a file: the engine's name server forgets a part that is stopped or away and would then ask other
            # name servers, which takes seconds and is not the fault that was meant.
            "extra_hosts": dict(hosts),
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
        },
    )


def _address(recipe: Recipe) -> dict[str, Any]:
    found = {"host": recipe.name, "port": recipe.port, "password_file": f"/{_password_file(recipe)}"}
    # The database has its user by default.
    return found | ({"username": recipe.user} if recipe.user and recipe.role is Role.BROKER else {})


def _password_file(recipe: Recipe) -> str:
    return f"{SECRETS}/{recipe.name}-password"


def archive(files: Mapping[str, str]) -> bytes:
    """``files`` as a tar to be unpacked at the container's root.

    Readable for every user of the container, because its program is not root and it is the only one there.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in sorted({path.rpartition("/")[0] for path in files}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for path, text in files.items():
            content = text.encode()
            entry = tarfile.TarInfo(path)
            entry.mode, entry.size = 0o444, len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
