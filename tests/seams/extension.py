"""Adds the made-up members to their registries when HARNESS_EXTENSIONS names this module."""

from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.engine import ENGINES
from tests.seams import courier, parrot

CLIENT_PROTOCOLS.add(parrot.ENTRY)
ENGINES.add(courier.ENTRY)
