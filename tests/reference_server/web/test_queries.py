from typing import Any

import pytest
from starlette.applications import Starlette

from reference_server.message_log.base import LogUnavailable
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Refused, Requests
from reference_server.protocol.protocol_limits import Limits
from reference_server.server_trace import Trace
from reference_server.web.application import _on_refused
from reference_server.web.queries import Queries
from tests.reference_server.fakes import FakeBackplane
from tests.reference_server.web.asgi import Answer, call


class FakeHistory:
    def __init__(self) -> None:
        self.up = True

    async def history(self, channel: str, since: int, limit: int) -> tuple[list[tuple[int, str]], int]:
        if not self.up:
            raise LogUnavailable("down")
        return [(seq, f"text {seq}") for seq in range(since + 1, min(5, since + limit) + 1)], 5

    async def ping(self) -> bool:
        return self.up


class Rig:
    def __init__(self, *, trace_rows: int = 10) -> None:
        self.history, self.backplane, self.trace = FakeHistory(), FakeBackplane(), Trace(trace_rows)
        queries = Queries(self.history, self.backplane, Requests(Limits()), trace=self.trace, metrics=Metrics())
        handlers: Any = {Refused: _on_refused}
        self._app = Starlette(routes=queries.routes(), exception_handlers=handlers)

    def get(self, path: str) -> Answer:
        return call(self._app, "GET", path)


def test_history_is_a_page_of_messages() -> None:
    """The page starts after ``since``, has at most ``limit`` messages, and gives the channel's newest seq."""
    answer = Rig().get("/v1/conversations.history?channel=c&since=2&limit=2")
    messages = [{"seq": 3, "text": "text 3"}, {"seq": 4, "text": "text 4"}]
    assert answer.body == {"ok": True, "channel": "c", "messages": messages, "last_seq": 5}


@pytest.mark.parametrize(
    "query",
    ["", "channel=a%20b", "channel=c&limit=0", "channel=c&limit=1001", "channel=c&since=-1", "channel=c&since=²"],
)
def test_a_bad_query_is_refused(query: str) -> None:
    """The answer is 400 ``invalid_request``."""
    answer = Rig().get(f"/v1/conversations.history?{query}")
    assert (answer.status, answer.body["error"]) == (400, "invalid_request")


def test_history_without_the_database_is_refused() -> None:
    """The answer is 503 ``database_unavailable``."""
    rig = Rig()
    rig.history.up = False
    answer = rig.get("/v1/conversations.history?channel=c")
    assert (answer.status, answer.body["error"]) == (503, "database_unavailable")


@pytest.mark.parametrize(("database", "backplane"), [(True, True), (False, True), (True, False), (False, False)])
def test_readiness_names_the_part_that_is_down(database: bool, backplane: bool) -> None:
    """Readiness is 200 only if both parts are up. Health is always 200."""
    rig = Rig()
    rig.history.up, rig.backplane.up = database, backplane
    answer = rig.get("/readyz")
    assert answer.status == (200 if database and backplane else 503)
    assert answer.body["ok"] == (database and backplane)
    assert answer.body["database"] == ("up" if database else "down")
    assert answer.body["backplane"] == ("up" if backplane else "down")
    assert rig.get("/healthz").status == 200


def test_the_trace_is_read_in_pages() -> None:
    """A page has the total and the number of dropped rows. An unknown part is refused, and so is a trace that is
    off."""
    rig = Rig(trace_rows=2)
    for seq in (1, 2, 3):
        rig.trace.accepted.add("c", seq, 10, 20, 30)
    page = rig.get("/v1/trace?part=accepted&offset=1&limit=5").body
    assert page == {
        "ok": True,
        "part": "accepted",
        "offset": 1,
        "total": 2,
        "dropped": 1,
        "received": 0,
        "rows": [["c", 2, 10, 20, 30]],
    }
    assert rig.get("/v1/trace?part=rumours").body["error"] == "invalid_request"
    assert Rig(trace_rows=0).get("/v1/trace?part=accepted").status == 404


def test_metrics_are_text() -> None:
    """Prometheus reads this text."""
    assert "reference_server_deliveries_total 0" in Rig().get("/metrics").body
