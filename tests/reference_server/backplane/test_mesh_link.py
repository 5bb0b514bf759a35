from reference_server.backplane.base import Outgoing
from reference_server.backplane.mesh_link import decoded, encoded


def test_a_batch_is_what_was_sent() -> None:
    """A frame may contain any bytes, and a channel name may have any length."""
    messages = [Outgoing("c", 1, b""), Outgoing("general." * 10, 2**40, bytes(range(256)) * 300)]
    assert list(decoded(b"".join(map(encoded, messages)))) == messages
