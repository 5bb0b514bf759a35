"""The limits of docs/protocol.md with its defaults, as a section of the settings."""

from reference_server.settings_section import Section


class Limits(Section, frozen=True, kw_only=True):
    body_bytes: int = 65_536
    text_bytes: int = 16_384
    channel_chars: int = 128
    client_msg_id_chars: int = 64
    frame_bytes: int = 4_096
    channels_per_connection: int = 64
    connections: int = 12_000
    waiting_bytes: int = 1_048_576
    send_buffer_bytes: int = 131_072
    """of the kernel, for one connection (SO_SNDBUF). Without this limit the kernel keeps megabytes for a connection whose
    client does not read."""
    resume_messages: int = 10_000
    queued_posts: int = 10_000
