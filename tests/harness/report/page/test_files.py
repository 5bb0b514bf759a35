import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.model.errors import EnvironmentFailure
from harness.model.measurements.resources import ServerFigures
from harness.report import write_report
from harness.report.page.files import write_page
from harness.report.page.run_page import page
from tests.harness.report import verdicts
from tests.harness.report.drawn import drawn
from tests.harness.report.html import Document

WHOLE = verdicts.passed()
ONE = replace(WHOLE, series={"cpu": WHOLE.series["cpu"]})
FEW = replace(WHOLE, series={name: WHOLE.series[name] for name in ("latency", "percentiles", "cpu")})
"""a run with only three figures, because drawing takes time"""


def test_the_page_is_small_enough_to_mail(tmp_path: Path) -> None:
    """A page with all figures is smaller than 1.5 MB."""
    figures = drawn("passed")
    path = write_page(tmp_path, page(WHOLE, verdicts.MACHINE, verdicts.EVENTS, figures), figures.drawn)
    assert path.stat().st_size < 1_500_000


def test_report_and_figures_are_written_beside_the_recording(tmp_path: Path) -> None:
    """The report is one page, and each figure is written as SVG and PNG."""
    path = write_report(tmp_path, FEW, verdicts.MACHINE, verdicts.EVENTS)
    assert path == tmp_path / "report.html"
    names = {plot.name for plot in (tmp_path / "plots").iterdir()}
    assert {"latency.svg", "latency.png", "percentiles.svg", "cpu.png"} <= names
    assert all(name.endswith((".svg", ".png")) and not name.startswith(".") for name in names)


def test_raw_tables_are_written_beside_the_page_and_linked_from_it(tmp_path: Path) -> None:
    """Every link leads to a file, and every file has a link. Tables of an earlier report are removed, and other files
    stay."""
    path = write_report(tmp_path, ONE, verdicts.MACHINE, verdicts.EVENTS)
    written = {f"tables/{table.name}" for table in (tmp_path / "tables").iterdir()}
    links = [address for address in Document(path.read_text()).addresses if not address.startswith(("#", "data:"))]
    assert sorted(links) == sorted(written)
    assert {"tables/findings.csv", "tables/servers.csv", "tables/series-cpu.csv"} <= written
    (tmp_path / "tables" / "mine.txt").write_text("")
    write_report(tmp_path, verdicts.empty(), {}, [])
    assert {table.name for table in (tmp_path / "tables").iterdir()} == {"findings.csv", "mine.txt"}


def test_a_report_made_again_is_the_same(tmp_path: Path) -> None:
    """The page depends only on its input."""
    first = write_report(tmp_path, ONE, verdicts.MACHINE, verdicts.EVENTS).read_bytes()
    assert write_report(tmp_path, ONE, verdicts.MACHINE, verdicts.EVENTS).read_bytes() == first


def test_figures_of_an_earlier_report_do_not_linger(tmp_path: Path) -> None:
    """The folder keeps no figure that is not on the page. Files that are not figures stay."""
    write_report(tmp_path, ONE, verdicts.MACHINE, verdicts.EVENTS)
    (tmp_path / "plots" / "notes.txt").write_text("mine")
    write_report(tmp_path, verdicts.empty(), {}, [])
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["notes.txt"]


def test_a_folder_that_cannot_be_written_is_an_error_to_act_on(tmp_path: Path) -> None:
    """The message names the folder and says that nothing is lost."""
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFailure, match=r"file.*recording is untouched"):
        write_report(tmp_path / "file", verdicts.empty(), {}, [])


def test_text_that_is_no_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    """JSON can hold half a surrogate pair. The report shows a question mark in its place."""
    servers = (ServerFigures(name="\ud800", clients=1),)
    verdict = replace(verdicts.empty(), run=replace(verdicts.measurements(), servers=servers))
    assert "?" in write_report(tmp_path, verdict, {"\ud801": "\ud802"}, []).read_text(encoding="utf-8")


def test_drawing_libraries_are_loaded_only_to_draw_and_pyplot_never() -> None:
    """Without these libraries, help and usage errors come at once. Without pyplot, figures keep no global state."""
    program = """
import dataclasses, sys, pathlib, tempfile
import harness.report, harness.report.text.terminal
assert not {"matplotlib", "jinja2"} & set(sys.modules), "loaded without need"
from tests.harness.report import verdicts
from tests.harness.report.drawn import drawn
with tempfile.TemporaryDirectory() as folder:
    verdict = dataclasses.replace(verdicts.passed(), series={"cpu": verdicts.series()["cpu"]})
    harness.report.write_report(pathlib.Path(folder), verdict, {}, [])
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules
"""
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
