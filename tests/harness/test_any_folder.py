"""Each kind of folder is judged and rendered by its own function."""

from pathlib import Path

import pytest

from harness import any_folder, judging

KINDS = ("is_capacity_folder", "is_matrix_folder", "is_sweep_folder")


@pytest.mark.parametrize(
    ("kind", "judged", "rendered"),
    [
        ("is_capacity_folder", "judging.judge_recording", "render_capacity"),
        ("is_matrix_folder", "judge_matrix_folder", "render_matrix"),
        ("is_sweep_folder", "judge_sweep_folder", "render_sweep"),
        ("none of them", "judging.judge_recording", "judging.render_report"),
    ],
)
def test_a_folder_is_handled_as_what_it_is(
    monkeypatch: pytest.MonkeyPatch, kind: str, judged: str, rendered: str
) -> None:
    """A capacity search has no verdict that could be judged again. So it goes to the judge of runs, which refuses
    it."""
    for name in KINDS:
        monkeypatch.setattr(any_folder, name, lambda _, is_it=name == kind: is_it)
    for name in ("judge_matrix_folder", "judge_sweep_folder", "render_capacity", "render_matrix", "render_sweep"):
        monkeypatch.setattr(any_folder, name, lambda folder, name=name: (name, folder))
    for name in ("judge_recording", "render_report"):
        monkeypatch.setattr(judging, name, lambda folder, name=name: (f"judging.{name}", folder))
    folder = Path("somewhere")
    assert any_folder.judge_folder(folder) == (judged, folder)
    assert any_folder.render_folder(folder) == (rendered, folder)
