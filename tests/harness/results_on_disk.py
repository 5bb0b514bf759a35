"""Hand-made judged runs on disk, like those of `harness run`. The commands compare, trend and baseline read them."""

import json
from dataclasses import replace
from pathlib import Path

from harness.history.folders import entries_of
from harness.history.history_file import append_entry
from harness.model.finding import Verdict
from harness.recording.writer import fill_folder, write_json, write_verdict
from tests.harness.report import verdicts


def slower(verdict: Verdict, percent: float) -> Verdict:
    """The same run with servers that use ``percent`` more CPU."""
    assert verdict.run is not None
    servers = tuple(
        replace(server, cpu_cores=(server.cpu_cores or 0) * (1 + percent / 100)) for server in verdict.run.servers
    )
    return replace(verdict, run=replace(verdict.run, servers=servers))


def a_run(results: Path, name: str, verdict: Verdict | None = None) -> Path:
    """Writes a judged run below ``results`` and its line of the history."""
    verdict = verdict or verdicts.passed()
    folder = results / verdict.plan.scenario / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    fill_folder(folder, verdict.plan)
    write_verdict(folder, verdict)
    write_json(folder / "machine.json", verdicts.MACHINE)
    lines = [json.dumps({**event, "wall": f"2026-01-01T00:00:{len(name):02}.000Z"}) for event in verdicts.EVENTS]
    (folder / "events.jsonl").write_text("\n".join(lines) + "\n")
    for entry in entries_of(folder, results):
        append_entry(results, entry)
    return folder
