"""The options of further outputs: files for CI systems, labels in the history."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.model.output_format import OUTPUTS
from harness.option_parsers import path_of
from harness.request_options import parameter

if TYPE_CHECKING:
    from harness.outputs.destinations import Destinations

OutputFiles = tuple[dict[str, Path], bool]
"""(file by the name of the output format, whether to write the outputs of a step of GitHub Actions)"""

LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        metavar="KEY=VALUE",
        help="Stored with the run in the history; repeat for more. 'revision' is the revision of the tested system; "
        "without it GITHUB_SHA or CI_COMMIT_SHA.",
        show_default=False,
    ),
]
Doubtful = Annotated[
    bool,
    typer.Option(
        "--doubtful",
        help="Also use runs in which something may have made figures worse than the system deserves (steal, other "
        "programs, a late sender). With --against always.",
    ),
]
GitHub = Annotated[
    bool,
    typer.Option(
        "--github",
        help="In a step of GitHub Actions: append to its summary, annotate what did not pass (ten at most, worst "
        "first), set the outputs verdict, p99_ms, report.",
    ),
]


def takes_outputs(command: Callable[..., None]) -> Callable[..., None]:
    """``command(…, outputs)`` with an option for each output format and ``--github`` in the place of ``outputs``, which
    is then (files by name of the format, whether --github was given). It must be above `takes_request`."""
    own = inspect.signature(command).parameters
    mine = [parameter for name, parameter in own.items() if name != "outputs"]
    files = {each.name.replace("-", "_"): each for each in OUTPUTS}
    added = [
        parameter(
            field,
            Annotated[
                Path | None,
                typer.Option(
                    f"--{each.name}", metavar="FILE", help=f"{each.title}.", show_default=False, parser=path_of
                ),
            ],
            None,
        )
        for field, each in files.items()
    ]
    added.append(parameter("github", GitHub, False))

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        given = {each.name: values.pop(field) for field, each in files.items()}
        wanted = {name: path for name, path in given.items() if path is not None}
        command(outputs=(wanted, values.pop("github")), **values)

    parameters = [*mine, *added]
    wrapper.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # a function may have one
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    )
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper


def destinations_of(outputs: OutputFiles) -> "Destinations":
    """Raises UsageError if one of the files cannot be written."""
    from harness.outputs.destinations import Destinations

    destinations = Destinations(files=outputs[0], github=outputs[1])
    destinations.refuse_unwritable()
    return destinations
