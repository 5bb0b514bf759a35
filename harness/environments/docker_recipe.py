"""What each container is made of. Secrets are in its files and nowhere else: everything else can be read with
`docker inspect`."""

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.environments.postgres import SETTINGS
from harness.model.cluster import Topology

POSTGRES_IMAGE = "postgres:17"
REDIS_IMAGE = "redis:8"
POSTGRES_PORT = 5432
REDIS_PORT = 6379
SERVER_PORT = 8000
SECRETS = "run/secrets"
SERVER_SETTINGS = "etc/broadcast-server"
OPEN_FILES = 16_384
"""10,000 clients, and what a server opens besides. No more: an engine may not raise a container's limit beyond its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What the parts of one cluster let each other in with."""

    token: str = field(repr=False)
    postgres: str = field(repr=False)
    redis: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One container. ``files`` are put into it before it starts, by their path without the leading slash."""

    name: str
    role: str
    image: str
    port: int
    files: Mapping[str, str] = field(repr=False)
    command: tuple[str, ...] | None = None
    """None: the image's own"""
    environment: Mapping[str, str] = field(default_factory=dict)
    open_files: int = OPEN_FILES
    options: Mapping[str, Any] = field(default_factory=dict)


def postgres_recipe(secrets: Secrets) -> Recipe:
    """PostgreSQL with the embedded one's settings, but for where it listens, which is the image's business."""
    own = {"listen_addresses", "unix_socket_directories"}
    settings = [part for name, value in SETTINGS.items() if name not in own for part in ("-c", f"{name}={value}")]
    return Recipe(
        name="postgres",
        role="postgres",
        image=POSTGRES_IMAGE,
        port=POSTGRES_PORT,
        command=("postgres", *settings),
        environment={
            "POSTGRES_PASSWORD_FILE": f"/{SECRETS}/postgres-password",
            # The data folder lives as long as the run, so making it need not wait for the disk; what runs in it does.
            "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C --no-sync",
        },
        files={f"{SECRETS}/postgres-password": secrets.postgres},
        options={"shm_size": "256m"},
    )


def redis_recipe(secrets: Secrets) -> Recipe:
    """Redis with the embedded Valkey's settings."""
    settings = (
        f"port {REDIS_PORT}",
        f'requirepass "{secrets.redis}"',
        "dir /data",
        'save ""',
        "appendonly no",
        "client-output-buffer-limit pubsub 32mb 8mb 60",
        "maxclients 1000",
    )
    return Recipe(
        name="redis",
        role="redis",
        image=REDIS_IMAGE,
        port=REDIS_PORT,
        command=("redis-server", f"/{SECRETS}/redis.conf"),
        files={f"{SECRETS}/redis.conf": "\n".join(settings) + "\n"},
    )


def server_recipe(name: str, image: str, topology: Topology, secrets: Secrets, hosts: Mapping[str, str]) -> Recipe:
    """A reference server. ``hosts``: addresses of ``postgres`` and, where there is one, ``redis``."""
    settings: dict[str, Any] = {
        "name": name,
        "host": "0.0.0.0",  # noqa: S104 - the container's own network, which only this run's containers are on
        "port": SERVER_PORT,
        "token_file": f"/{SECRETS}/token",
        "postgres": {"host": "postgres", "port": POSTGRES_PORT, "password_file": f"/{SECRETS}/postgres-password"},
        "backplane": {"name": topology.backplane},
        "write_path": topology.write_path,
        "recovery": topology.recovery,
    }
    files = {f"{SECRETS}/token": secrets.token, f"{SECRETS}/postgres-password": secrets.postgres}
    if "redis" in hosts:
        password_file = f"/{SECRETS}/redis-password"
        settings["backplane"] |= {"host": "redis", "port": REDIS_PORT, "password_file": password_file}
        files[f"{SECRETS}/redis-password"] = secrets.redis
    files[f"{SERVER_SETTINGS}/settings.json"] = json.dumps(settings)
    return Recipe(
        name=name,
        role="server",
        image=image,
        port=SERVER_PORT,
        files=files,
        options={
            # Names in a file: the engine's name server forgets a part that is stopped or away and would then ask the
            # world about it, which takes seconds and is not the fault that was meant.
            "extra_hosts": dict(hosts),
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges"],
        },
    )


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
