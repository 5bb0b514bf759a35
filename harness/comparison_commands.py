"""The commands over many runs: compare, trend, baseline. Parse, call, exit code; `harness.commands` adds them."""

from pathlib import Path
from typing import Annotated

import typer

from harness.command_errors import errors_become_exit_codes
from harness.model.errors import UsageError
from harness.options import Json, Out
from harness.output_options import Doubtful, OutputFiles, destinations_of, takes_outputs
from harness.planning.request import Request
from harness.request_options import takes_request

Margins = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[NAME=]PERCENT",
        help="Changes up to this do not matter. NAME is a measure or one of cpu (5), latency (10), tail (20), "
        "memory (5), recovery (20), capacity (10); without it, for all. Repeat for more.",
        show_default=False,
    ),
]


@takes_outputs
@takes_request
def compare(
    targets: Annotated[
        list[str],
        typer.Argument(
            metavar="BASE RUN | SCENARIO",
            help="Two runs, sweeps or searches: folders, quoted patterns, or baseline:NAME. With --against: a "
            "scenario.",
            show_default=False,
        ),
    ],
    request: Request,
    outputs: OutputFiles,
    base: Annotated[
        list[str] | None,
        typer.Option("--base", metavar="RUN", help="One more run of BASE; repeat for a group.", show_default=False),
    ] = None,
    run: Annotated[
        list[str] | None,
        typer.Option("--run", metavar="RUN", help="One more run of RUN; repeat for a group.", show_default=False),
    ] = None,
    margin: Margins = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="MEASURE", help="Compare only this measure; repeat for more.", show_default=False),
    ] = None,
    across: Annotated[
        bool,
        typer.Option(
            "--across", help="Report even if plans or machines differ or runs are doubtful, without a verdict."
        ),
    ] = False,
    doubtful: Doubtful = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Run SCENARIO with two builds of the server in turn and compare them: this one is BASE. module:NAME, "
            "image:NAME:TAG (--environment docker), or a git revision of the project.",
            show_default=False,
        ),
    ] = None,
    revision: Annotated[
        str | None,
        typer.Option(metavar="REF", help="With --against: the build that is RUN.", show_default="the installed server"),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="With --against: runs of each build.")] = 6,
    project: Annotated[
        Path, typer.Option(metavar="FOLDER", help="With --against: where the git repository of the server is.")
    ] = Path(),
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Say whether one run, or group of runs, is worse than another."""
    from harness import compare_console

    with errors_become_exit_codes():
        wishes = compare_console.Wishes(
            margins=tuple(margin or ()),
            only=tuple(only or ()),
            across=across,
            doubtful=doubtful,
            results=out,
            as_json=as_json,
            outputs=destinations_of(outputs),
        )
        if against is not None:
            from harness import builds_console

            builds = builds_console.Builds(against=against, revision=revision, project=project, rounds=rounds)
            raise typer.Exit(builds_console.compare_builds(targets, request, builds, wishes))
        if len(targets) != 2:
            raise UsageError(
                f"compare: expected BASE and RUN, found {len(targets)} arguments; more runs by --base and --run"
            )
        sides = [targets[0], *(base or ())], [targets[1], *(run or ())]
        raise typer.Exit(compare_console.compare_named(*sides, wishes))


def trend(
    scenario: Annotated[str, typer.Option("--scenario", help="Only this scenario.", show_default="all")] = "",
    plan_key: Annotated[
        str, typer.Option("--plan", metavar="KEY", help="The series that --export writes.", show_default=False)
    ] = "",
    fail_on_change: Annotated[
        int | None,
        typer.Option(
            min=4,
            metavar="N",
            help="Exit code 1 if a change for the worse that is beyond its margin and was not accepted begins within "
            "the last N runs. A change is found four to eight runs after it began: with 10 it is reported for some nights.",
            show_default=False,
        ),
    ] = None,
    margin: Margins = None,
    accept: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Accept the change that begins with this run.", show_default=False),
    ] = None,
    reason: Annotated[str, typer.Option(help="The reason for --accept.", show_default=False)] = "",
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write one series as CSV for Apache Otava.", show_default=False, dir_okay=False
        ),
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Read the history again from all recordings below --out.")
    ] = False,
    doubtful: Doubtful = False,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Show the measures of all runs over time, and where their level changed."""
    from harness import trend_console

    with errors_become_exit_codes():
        if rebuild:
            trend_console.rebuild_history(out)
        if accept is not None:
            trend_console.accept(out, accept, reason)
        code = trend_console.show(
            out,
            scenario=scenario,
            with_doubtful=doubtful,
            margins=tuple(margin or ()),
            fail_on_change=fail_on_change,
            export=export,
            plan_key=plan_key,
            as_json=as_json,
        )
        raise typer.Exit(code)


baseline_app = typer.Typer(no_args_is_help=True, help="Name runs as a reference for comparisons (`baseline:NAME`).")
Name = Annotated[str, typer.Argument(help="The baseline's name.", show_default=False)]


@baseline_app.command("set")
def baseline_set(
    name: Name,
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Runs, sweeps or searches.", show_default=False)],
    out: Out = Path("results"),
) -> None:
    """Give runs a name; an earlier baseline of that name is replaced."""
    from harness import trend_console

    with errors_become_exit_codes():
        trend_console.set_baseline(out, name, runs)


@baseline_app.command("list")
def baseline_list(out: Out = Path("results"), as_json: Json = False) -> None:
    """List the baselines and their runs."""
    from harness import trend_console

    with errors_become_exit_codes():
        trend_console.list_baselines(out, as_json=as_json)


@baseline_app.command("remove")
def baseline_remove(name: Name, out: Out = Path("results")) -> None:
    """Forget a baseline; its runs stay."""
    from harness.history.baselines import remove_baseline

    with errors_become_exit_codes():
        remove_baseline(out, name)


def add_commands(app: typer.Typer) -> None:
    app.command()(compare)
    app.command()(trend)
    app.add_typer(baseline_app, name="baseline")
