from dataclasses import replace

from harness.environments.postgresql_settings import postgresql_settings
from harness.model.cluster import Topology

TOPOLOGY = Topology(servers=1, backplane="redis", write_path="db-first", run_id="r")


def test_statements_are_logged_only_where_the_cluster_asks_for_it() -> None:
    """The log has no parameters and its times are in UTC, because `harness.observation.statement_log` expects that."""
    usual, logged = postgresql_settings(TOPOLOGY), postgresql_settings(replace(TOPOLOGY, statement_log=True))
    assert not any(name.startswith("log_min_duration") for name in usual)
    assert {name: logged[name] for name in logged.keys() - usual.keys()} == {
        "log_min_duration_statement": "0",
        "log_parameter_max_length": "0",
        "log_timezone": "UTC",
    }


def test_commits_wait_for_the_disk() -> None:
    """A run validates durability."""
    settings = postgresql_settings(TOPOLOGY)
    assert [settings[name] for name in ("fsync", "synchronous_commit", "full_page_writes")] == ["on", "on", "on"]
