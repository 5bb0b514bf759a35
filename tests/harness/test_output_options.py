"""The options for output files, on a command that is made for the test."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from harness.model.errors import UsageError
from harness.model.output_format import OUTPUTS
from harness.output_options import OutputFiles, destinations_of, takes_outputs


def given(*arguments: str) -> tuple[str, OutputFiles]:
    """The arguments with which the command is called."""
    found: list[Any] = []
    app = typer.Typer()

    @app.command()
    @takes_outputs
    def command(outputs: OutputFiles, name: str = "none") -> None:
        found.append((name, outputs))

    shown = CliRunner().invoke(app, arguments)
    assert shown.exit_code == 0, shown.output
    (only,) = found
    return only


def test_without_an_option_no_file_is_wanted() -> None:
    """The output for GitHub is off too."""
    assert given() == ("none", ({}, False))


def test_each_format_has_an_option_of_its_name() -> None:
    """All options together give the files in the order of the registry. The command's own option still works."""
    arguments = [word for each in OUTPUTS for word in (f"--{each.name}", f"{each.name}.out")]
    name, (files, github) = given("--name", "x", *arguments, "--github")
    assert (name, github) == ("x", True)
    assert files == {each.name: Path(f"{each.name}.out") for each in OUTPUTS}
    assert list(files) == list(OUTPUTS.names)


def test_a_format_with_a_hyphen_keeps_it() -> None:
    """The option has the hyphen of the registry's name, although the name of a parameter cannot have one."""
    hyphened = [each.name for each in OUTPUTS if "-" in each.name]
    assert hyphened
    for name in hyphened:
        assert given(f"--{name}", "here")[1] == ({name: Path("here")}, False)


def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """A folder is refused. The check does not create a file that can be written."""
    target = tmp_path / "out.xml"
    assert destinations_of(({"junit": target}, False)).files == {"junit": target}
    assert not target.exists()
    with pytest.raises(UsageError, match="--junit"):
        destinations_of(({"junit": tmp_path}, False))
