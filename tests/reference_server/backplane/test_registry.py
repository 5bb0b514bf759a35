import re
from pathlib import Path
from typing import Any, cast

from reference_server import server, settings
from reference_server.backplane.base import BackplaneContext
from reference_server.backplane.registry import BACKPLANES
from reference_server.message_log.postgresql_address import Postgres
from reference_server.metrics import Metrics
from reference_server.settings import Settings
from reference_server.settings_section import Section
from reference_server.write_path.registry import WRITE_PATHS


def test_each_backplane_says_what_it_needs() -> None:
    """A backplane has a kind of broker or None, and a type for its own settings or None."""
    needs = {name: (BACKPLANES.find(name).broker, BACKPLANES.find(name).section is None) for name in BACKPLANES.names}
    assert needs == {
        "memory": (None, True),
        "redis": ("redis", False),
        "postgres-poll": (None, False),
        "postgres-notify": (None, False),
        "mesh": (None, False),
        "redis-streams": ("redis", False),
        "nats": ("nats", False),
        "kafka": ("kafka", False),
    }


def test_each_backplane_is_built_from_its_own_settings() -> None:
    """Building a backplane opens no connection. A new backplane is down until it runs."""
    settings = Settings(port=1, postgres=Postgres(host="127.0.0.1"), backplane=cast(Any, None), name="server-1")
    context = BackplaneContext(settings=settings, log=cast(Any, None), metrics=Metrics())
    for name in BACKPLANES.names:
        kind = BACKPLANES.find(name)
        required = {"host": "127.0.0.1"} if kind.broker else {"port": 7000} if name == "mesh" else {}
        section = kind.section(**required) if kind.section is not None else Section()
        assert not kind.build(section, context).up


def test_settings_and_server_name_no_member() -> None:
    """A new backplane or write path needs its module and its line in the registry. These two files stay unchanged."""
    for module in (settings, server):
        source = Path(str(module.__file__)).read_text()
        assert not [name for name in (*BACKPLANES.names, *WRITE_PATHS.names) if f'"{name}"' in source]
        assert not re.findall(r"redis_pubsub|in_memory|db_first|redis_streams|nats_core|kafka_topic", source)
