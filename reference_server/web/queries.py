"""The routes that only read: history, health, metrics and trace."""

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from reference_server.backplane.base import Backplane
from reference_server.message_log.base import History, LogError
from reference_server.metrics import Metrics
from reference_server.protocol.client_requests import Refused, Requests
from reference_server.protocol.responses import json_response
from reference_server.server_trace import Trace

HISTORY_ROWS = 1_000
TRACE_ROWS = 100_000
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def _clock() -> dict[str, str] | None:
    """By these another process can decide whether it reads the same CLOCK_MONOTONIC: the boot of the kernel, and the
    time namespace. None if the system has neither."""
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        return {"boot_id": boot_id, "time_namespace": os.readlink("/proc/self/ns/time")}
    except OSError:
        return None


CLOCK = _clock()


class Queries:
    def __init__(
        self, log: History, backplane: Backplane, requests: Requests, *, trace: Trace, metrics: Metrics
    ) -> None:
        self._log = log
        self._backplane = backplane
        self._requests = requests
        self._trace = trace
        self._metrics = metrics

    def routes(self) -> list[Route]:
        def route(path: str, endpoint: Callable[[Request], Awaitable[Response]]) -> Route:
            return Route(path, endpoint, methods=["GET"])

        return [
            route("/v1/conversations.history", self._history),
            route("/v1/trace", self._trace_rows),
            route("/healthz", self._healthz),
            route("/readyz", self._readyz),
            route("/metrics", self._metrics_text),
        ]

    async def _history(self, request: Request) -> Response:
        channel = request.query_params.get("channel", "")
        self._requests.check_channel(channel)
        since = _number(request, "since", default=0, low=0, high=2**63 - 1)
        limit = _number(request, "limit", default=100, low=1, high=HISTORY_ROWS)
        try:
            messages, last_seq = await self._log.history(channel, since, limit)
        except LogError as error:
            raise Refused(503, "database_unavailable", str(error)) from error
        rows = [{"seq": seq, "text": text} for seq, text in messages]
        return json_response({"ok": True, "channel": channel, "messages": rows, "last_seq": last_seq})

    async def _trace_rows(self, request: Request) -> Response:
        if not self._trace.enabled:
            raise Refused(404, "not_found", "this server keeps no trace")
        part = request.query_params.get("part", "")
        table = self._trace.parts.get(part)
        if table is None:
            raise Refused(400, "invalid_request", f"part: expected one of {', '.join(self._trace.parts)}")
        offset = _number(request, "offset", default=0, low=0, high=2**63 - 1)
        limit = _number(request, "limit", default=50_000, low=1, high=TRACE_ROWS)
        return json_response(
            {
                "ok": True,
                "part": part,
                "offset": offset,
                "total": len(table),
                "dropped": table.dropped,
                "received": self._metrics.received + self._metrics.announced + self._metrics.unwanted,
                "rows": table.rows(offset, limit),
            }
        )

    async def _healthz(self, _: Request) -> Response:
        return json_response({"ok": True, "clock": CLOCK})

    async def _readyz(self, _: Request) -> Response:
        parts = {
            "database": "up" if await self._log.ping() else "down",
            "backplane": "up" if self._backplane.up else "down",
        }
        down = [part for part, state in parts.items() if state == "down"]
        if not down:
            return json_response({"ok": True, **parts})
        detail = f"down: {', '.join(down)}"
        return json_response({"ok": False, "error": "not_ready", "detail": detail, **parts}, status=503)

    async def _metrics_text(self, _: Request) -> Response:
        return Response(self._metrics.text(), media_type=METRICS_TYPE)


def _number(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) <= 19 and low <= int(text) <= high:
        return int(text)
    raise Refused(400, "invalid_request", f"{name}: expected a number from {low} to {high}")
