"""The write paths that a server can use. To add one: a module in this folder with its ``KIND``, and a line here."""

from reference_server.registry import Registry
from reference_server.write_path import broker_first, db_first
from reference_server.write_path.base import WritePathKind

WRITE_PATHS: Registry[WritePathKind] = Registry("write_path", db_first.KIND, broker_first.KIND)

DEFAULT = db_first.KIND.name
