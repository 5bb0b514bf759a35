"""The settings of every PostgreSQL that the harness starts, in every environment."""

from collections.abc import Mapping

from harness.model.cluster import Topology

_ALWAYS = {
    # The harness validates durability, so these defaults of PostgreSQL are written out.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # One minute of load on a new data folder: room for the rows in memory, and no checkpoint in between.
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "max_connections": "100",
    "jit": "off",
    "log_line_prefix": "%m [%p] %a ",
    "log_min_messages": "warning",
    "cluster_name": "harness",
}
_STATEMENT_LOG = {
    "log_min_duration_statement": "0",
    # Without the parameters: they would write every message to the log.
    "log_parameter_max_length": "0",
    "log_timezone": "UTC",
}


def postgresql_settings(topology: Topology) -> Mapping[str, str]:
    """By name. Where PostgreSQL listens is not among them.

    With ``topology.statement_log`` PostgreSQL logs the duration of every statement from its start on, in the layout
    that `harness.observation.statement_log` reads.
    """
    return _ALWAYS | (_STATEMENT_LOG if topology.statement_log else {})
