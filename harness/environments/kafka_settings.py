"""The settings of a Kafka that the harness starts: one node, broker and controller in one process, without ZooKeeper."""

from collections.abc import Mapping

USER = "harness"
CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw"
HEAP = "-Xmx256m"


def kafka_settings(
    *, listen: str, advertised: str, controller_port: int, password: str, data: str
) -> Mapping[str, str]:
    """``listen`` and ``advertised`` are HOST:PORT; the controller listens on loopback alone. ``data``: a folder."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"CLIENT://{listen},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"CLIENT://{advertised}",
        "inter.broker.listener.name": "CLIENT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,CLIENT:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": (
            f'{module} required username="{USER}" password="{password}" user_{USER}="{password}";'
        ),
        "log.dirs": data,
        # One node holds the only copy.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # The server creates its topic with a fixed number of partitions; a mistyped name must not create another one.
        "auto.create.topics.enable": "false",
    }


def properties(settings: Mapping[str, str]) -> str:
    """As a .properties file: a backslash, and every character that is no printable ASCII, is an escape."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in settings.items())


def _escaped(value: str) -> str:
    units = value.encode("utf-16-be", errors="surrogatepass")
    codes = (int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2))
    return "".join(chr(code) if 0x20 < code < 0x7F and code != 0x5C else f"\\u{code:04x}" for code in codes)
