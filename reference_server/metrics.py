"""The counters of the server, and their text for Prometheus (exposition format 0.0.4)."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class Summary:
    """A count and a sum. They give a rate and a mean over any interval."""

    count: int = 0
    total: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value

    def add_late(self, late_s: float, interval_s: float) -> None:
        """Add a timer that is due every ``interval_s`` and fired ``late_s`` late: it counts for all timers that were
        due meanwhile, which waited ``late_s`` less one interval, less two, and so on. So the mean is weighted by
        time."""
        missed = int(late_s / interval_s)
        self.count += missed + 1
        self.total += (missed + 1) * (late_s - missed * interval_s / 2)


@dataclass(slots=True)
class Metrics:
    """Plain numbers. The code that does the work increases them."""

    posts: Counter[str] = field(default_factory=Counter)
    batches: Summary = field(default_factory=Summary)
    published: int = 0
    publish_failures: int = 0
    received: int = 0
    announced: int = 0
    unwanted: int = 0
    duplicates: int = 0
    holes: int = 0
    skipped: int = 0
    shed: int = 0
    recovered: int = 0
    set_aside: int = 0
    resumed: int = 0
    deliveries: int = 0
    flushes: Summary = field(default_factory=Summary)
    flush_pause_s: float = 0.0
    slow_consumers: int = 0
    refused_connections: int = 0
    loop_lag: Summary = field(default_factory=Summary)
    gauges: dict[str, tuple[str, Callable[[], float]]] = field(default_factory=dict)
    """values that are read for each request: name → (help, function)"""

    def text(self) -> str:
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _head("posts_total", "counter", "Posts by outcome: ok, duplicate, or the error code.")
        for outcome, count in sorted(self.posts.items()):
            yield f'reference_server_posts_total{{outcome="{outcome}"}} {count}\n'
        for name, text, value in (
            ("published_total", "Messages handed to the backplane's connection.", self.published),
            (
                "publish_failures_total",
                "Messages committed while the backplane could not take them.",
                self.publish_failures,
            ),
            ("received_total", "Messages that arrived from the backplane.", self.received),
            ("announced_total", "Times that the backplane announced newer messages in the log.", self.announced),
            (
                "unwanted_total",
                "Messages that the backplane brought for channels without a client here.",
                self.unwanted,
            ),
            ("duplicates_dropped_total", "Messages that arrived again and were dropped.", self.duplicates),
            ("holes_total", "Times that a message was missing; most of them were only late.", self.holes),
            ("skipped_total", "Messages skipped as lost; only with recovery off.", self.skipped),
            ("shed_total", "Live messages dropped because too many waited; recovery reads them.", self.shed),
            (
                "recovered_total",
                "Messages taken from the message log because the backplane did not bring them.",
                self.recovered,
            ),
            ("set_aside_total", "Acknowledged messages that cannot be stored; only broker-first.", self.set_aside),
            ("resumed_total", "Messages written to clients that resumed.", self.resumed),
            ("deliveries_total", "Messages handed to sockets, counted once per socket.", self.deliveries),
            ("slow_readers_closed_total", "Slow consumers: connections closed with 4008.", self.slow_consumers),
            ("connections_refused_total", "Connections closed with 1013.", self.refused_connections),
        ):
            yield from _head(name, "counter", text)
            yield f"reference_server_{name} {value}\n"
        for name, text, summary in (
            ("commit_batch_posts", "Posts per committed batch.", self.batches),
            ("flush_seconds", "Time to write one flush to all its sockets.", self.flushes),
            ("loop_lag_seconds", "How late a timer fires that is due every 0.1 s, missed ones too.", self.loop_lag),
        ):
            yield from _head(name, "summary", text)
            yield f"reference_server_{name}_sum {summary.total}\nreference_server_{name}_count {summary.count}\n"
        yield from _head("flush_pause_seconds", "gauge", "Present pause between two flushes.")
        yield f"reference_server_flush_pause_seconds {self.flush_pause_s}\n"
        for name, (text, read) in self.gauges.items():
            yield from _head(name, "gauge", text)
            yield f"reference_server_{name} {float(read())}\n"


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP reference_server_{name} {text}\n# TYPE reference_server_{name} {kind}\n"
