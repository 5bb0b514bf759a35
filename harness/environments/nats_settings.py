"""The configuration of a NATS that the harness starts, the same in every environment."""

from harness.components.nats import MONITOR_USER

USER = "harness"


def nats_settings(*, host: str, port: int, password: str) -> str:
    """The text of its configuration file. Two accounts: one for the servers, the other to ask NATS for its figures."""
    return "\n".join(
        (
            f"host: {host}",
            f"port: {port}",
            "accounts {",
            f'  BROADCAST {{ users: [{{ user: {USER}, password: "{password}" }}] }}',
            f'  SYSTEM {{ users: [{{ user: {MONITOR_USER}, password: "{password}" }}] }}',
            "}",
            "system_account: SYSTEM",
            # The defaults, written out because they decide when NATS disconnects a slow server.
            "max_pending: 64MB",
            'write_deadline: "10s"',
            "max_connections: 1000",
            "",
        )
    )
