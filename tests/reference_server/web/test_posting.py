import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Post, Refused, Requests
from reference_server.protocol.protocol_limits import Limits
from reference_server.web.posting import PATH, Posting
from reference_server.write_path.base import Outcome
from tests.reference_server.web.asgi import Answer, call

GOOD = json.dumps({"channel": "general", "text": "hello"}).encode()


class FakeWritePath:
    queued = 0

    def __init__(self, respond: Callable[[Post], Outcome]) -> None:
        self._respond = respond

    def submit(self, post: Post, accepted_ns: int) -> Awaitable[Outcome]:
        assert accepted_ns > 0

        async def outcome() -> Outcome:
            return self._respond(post)

        return outcome()

    async def run(self) -> None:
        raise AssertionError("no test may reach this method of a stand-in")


def post(
    respond: Callable[[Post], Outcome], body: bytes = GOOD, method: str = "POST", metrics: Metrics | None = None
) -> Answer:
    limits = {"body_limit_bytes": 100, "metrics": metrics or Metrics()}
    posting: Any = Posting(FakeWritePath(respond), Requests(Limits()), **limits)
    return call(posting, method, PATH, body)


def raising(error: Exception) -> Callable[[Post], Outcome]:
    def respond(_: Post) -> Outcome:
        raise error

    return respond


@pytest.mark.parametrize("duplicate", [False, True])
def test_an_outcome_is_answered_with_its_seq(duplicate: bool) -> None:
    """The answer is 200 with channel, seq and whether it is a duplicate. The post is counted by its outcome."""
    metrics = Metrics()
    answer = post(lambda _: Outcome(42, duplicate), metrics=metrics)
    assert (answer.status, answer.body) == (200, {"ok": True, "channel": "general", "seq": 42, "duplicate": duplicate})
    assert metrics.posts == {"duplicate" if duplicate else "ok": 1}


@pytest.mark.parametrize(
    ("body", "method", "status", "code"),
    [
        (b"{", "POST", 400, "invalid_json"),
        (b"{}", "POST", 400, "invalid_request"),
        (GOOD, "GET", 405, "method_not_allowed"),
        (b" " * 101, "POST", 413, "too_large"),
    ],
)
def test_a_bad_request_is_refused(body: bytes, method: str, status: int, code: str) -> None:
    """The answer has the status and the code of the contract. The write path gets nothing."""
    answer = post(raising(AssertionError("the write path was called")), body, method)
    assert (answer.status, answer.body["ok"], answer.body["error"]) == (status, False, code)


def test_a_refusal_of_the_write_path_is_answered() -> None:
    """The answer has the refusal's own status and code. The post is counted by this code."""
    metrics = Metrics()
    answer = post(raising(Refused(503, "overloaded", "later")), metrics=metrics)
    assert (answer.status, answer.body) == (503, {"ok": False, "error": "overloaded", "detail": "later"})
    assert metrics.posts == {"overloaded": 1}


def test_a_crash_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The answer is 500 ``internal_error`` in JSON, and the log has the traceback. The detail shows nothing of the
    error."""
    metrics = Metrics()
    with caplog.at_level(logging.ERROR):
        answer = post(raising(RuntimeError("planted")), metrics=metrics)
    assert (answer.status, answer.body["ok"], answer.body["error"]) == (500, False, "internal_error")
    assert "planted" not in answer.body["detail"]
    assert "RuntimeError: planted" in caplog.text
    assert metrics.posts == {"internal_error": 1}
