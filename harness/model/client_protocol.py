"""Client protocols: how clients and the harness talk with the servers under test."""

from dataclasses import dataclass

from harness.model.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientProtocolEntry:
    """``adapter`` is the import path of a class without parameters that is a `harness.protocol.contract.ClientProtocol`."""

    name: str
    title: str
    adapter: str


CLIENT_PROTOCOLS: Registry[ClientProtocolEntry] = Registry(
    "client protocol",
    (
        ClientProtocolEntry(
            name="chat",
            title="the protocol of docs/protocol.md: JSON over WebSocket and HTTP",
            adapter="harness.protocol.chat:Chat",
        ),
    ),
)
