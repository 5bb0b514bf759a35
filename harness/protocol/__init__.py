"""Client protocols: everything that the harness knows about routes, headers and frames of the servers under test.

`contract` says what an adapter must do, `chat` is the adapter of docs/protocol.md, `exchange` sends requests.
"""

from typing import cast

from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.registry import load
from harness.protocol.contract import ClientProtocol


def open_protocol(name: str) -> ClientProtocol:
    """The adapter of the client protocol ``name``. Raises UsageError with all known names if there is none."""
    return cast(ClientProtocol, load(CLIENT_PROTOCOLS.get(name).adapter)())
