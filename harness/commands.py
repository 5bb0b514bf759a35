"""The commands: parse, call, print, exit code. Nothing else.

Only the standard library, typer and our small values are imported here; a command imports further modules when it runs,
so that help, version and usage errors appear at once.
"""

from pathlib import Path
from typing import Annotated

import typer

from harness import __version__, catalog, comparison_commands, playground_commands
from harness.command_errors import errors_become_exit_codes as _errors_become_exit_codes
from harness.exit_codes import ExitCode, of_status
from harness.model.capacity import Vary
from harness.model.environment import ENVIRONMENTS
from harness.model.scenario import Size
from harness.option_parsers import named
from harness.options import (
    AudienceOption,
    Backplanes,
    CellRepeat,
    Clients,
    Duration,
    Environment,
    Force,
    Json,
    LimitMs,
    LivePort,
    MatrixServers,
    NoReport,
    OnlyPlan,
    Out,
    Rate,
    Recovery,
    Run,
    Scenario,
    Scenarios,
    Seed,
    SizeOption,
    VaryOption,
    WritePaths,
)
from harness.output_options import LabelOption, OutputFiles, destinations_of, takes_outputs
from harness.planning.request import RECOVERIES, Request
from harness.request_options import matrix_request, takes_request

app = typer.Typer(
    name="harness",
    help="Does a message that one server accepts reach every client of every server, in time, and survive faults?\n\n"
    "Starts a real cluster, loads it with real WebSocket clients, checks every single delivery, and gives a verdict, "
    "an exit code and an HTML report.",
    epilog="Exit codes: 0 pass · 1 fail · 2 usage · 3 unknown (the evidence does not decide) · "
    "4 environment (could not start or died) · 5 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"harness {__version__}")
        raise typer.Exit


@app.callback()
def _harness(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@app.command("list")
def list_scenarios(as_json: Json = False) -> None:
    """List the scenarios and their claims."""
    from harness import console

    with _errors_become_exit_codes():
        console.show_scenarios([catalog.find(name) for name in catalog.names()], as_json=as_json)


@app.command()
def doctor(out: Out = Path("results"), as_json: Json = False) -> None:
    """Show this machine's limits, what they allow, and how to raise them."""
    from harness import console
    from harness.diagnosis import examine

    with _errors_become_exit_codes():
        diagnosis = examine(out)
        console.show_diagnosis(diagnosis, as_json=as_json)
        raise typer.Exit(ExitCode.PASS if diagnosis.able else ExitCode.ENVIRONMENT)


@app.command()
@takes_request
def plan(scenario: Scenario, request: Request, out: Out = Path("results"), as_json: Json = False) -> None:
    """Show what `run` would do with the same options, what it needs, and whether it fits this machine."""
    from harness import console, sweep_console
    from harness.preflight import asks_for_sweep, prepare

    with _errors_become_exit_codes():
        if asks_for_sweep(scenario, request):
            raise typer.Exit(sweep_console.plan(scenario, request, out=out, as_json=as_json))
        planned = prepare(scenario, request, out=out)
        console.show_plan(planned, as_json=as_json)
        raise typer.Exit(ExitCode.USAGE if planned.shortfalls else ExitCode.PASS)


@app.command()
@takes_outputs
@takes_request
def run(
    scenario: Scenario,
    request: Request,
    outputs: OutputFiles,
    label: LabelOption = None,
    out: Out = Path("results"),
    no_report: NoReport = False,
    live: LivePort = None,
    as_json: Json = False,
) -> None:
    """Run a scenario: start the cluster, load it, check every delivery, judge, report."""
    from harness import console, sweep_console
    from harness.experiment import run_experiment
    from harness.history.revision import labels_of
    from harness.machine_lock import hold_machine
    from harness.preflight import asks_for_sweep, prepare, refuse_misfit
    from harness.publishing import note_in_history, publish_folder

    with _errors_become_exit_codes():
        destinations, labels = destinations_of(outputs), labels_of(label or ())
        if asks_for_sweep(scenario, request):
            outcome = sweep_console.run(scenario, request, out=out, live=live, as_json=as_json)
        else:
            planned = prepare(scenario, request, out=out)
            refuse_misfit(planned)
            with (
                hold_machine(forced=request.force),
                console.live_view(live) as page,
                console.progress(planned.plan, page=page) as watch,
            ):
                outcome = run_experiment(planned.plan, out=out, watch=watch, with_report=not no_report)
            console.show_outcome(outcome, as_json=as_json)
        if outcome.verdict is not None:
            note_in_history(outcome.folder, out, labels)
        publish_folder(outcome.folder, outcome.verdict, destinations)
        raise typer.Exit(outcome.exit_code)


@app.command()
@takes_outputs
@takes_request
def capacity(
    scenario: Scenario,
    request: Request,
    outputs: OutputFiles,
    label: LabelOption = None,
    vary: VaryOption = Vary.RATE,
    limit_ms: LimitMs = 100.0,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Find the highest load with every delivery and a P99 within the limit, and the resource that limits it."""
    from harness import capacity_console
    from harness.history.revision import labels_of
    from harness.publishing import note_in_history, summarize_search

    with _errors_become_exit_codes():
        destinations, labels = destinations_of(outputs), labels_of(label or ())
        outcome = capacity_console.search(scenario, request, vary=vary, limit_ms=limit_ms, out=out, as_json=as_json)
        note_in_history(outcome.folder, out, labels)
        if destinations:
            destinations.write(summarize_search(outcome.folder, outcome.capacity))
        raise typer.Exit(outcome.exit_code)


@app.command()
@takes_outputs
def matrix(
    outputs: OutputFiles,
    label: LabelOption = None,
    backplanes: Backplanes = None,
    write_paths: WritePaths = None,
    scenarios: Scenarios = "a,b,c",
    repeat: CellRepeat = 1,
    servers: MatrixServers = None,
    clients: Clients = None,
    rate: Rate = None,
    duration: Duration = None,
    audience: AudienceOption = None,
    size: SizeOption = Size.FIT,
    environment: Environment = ENVIRONMENTS.default.name,
    seed: Seed = 1,
    recovery: Recovery = RECOVERIES[0],
    only_plan: OnlyPlan = False,
    live: LivePort = None,
    force: Force = False,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Run the same scenarios on every alternative of the architecture, and compare the results."""
    from harness import matrix_console
    from harness.history.revision import labels_of
    from harness.publishing import note_in_history, publish_folder

    with _errors_become_exit_codes():
        destinations, labels = destinations_of(outputs), labels_of(label or ())
        asked = matrix_request(
            backplanes=backplanes,
            write_paths=write_paths,
            repeat=repeat,
            servers=servers,
            clients=clients,
            rate=rate,
            duration=duration,
            audience=audience,
            size=size,
            environment=environment,
            seed=seed,
            recovery=recovery,
            force=force,
        )
        names = tuple(catalog.full_name(name) for name in named(scenarios))
        if only_plan:
            raise typer.Exit(matrix_console.plan(asked, names, out=out, as_json=as_json))
        outcome = matrix_console.run(asked, names, out=out, live=live, as_json=as_json)
        if outcome.verdict is not None:
            note_in_history(outcome.folder, out, labels)
        publish_folder(outcome.folder, outcome.verdict, destinations)
        raise typer.Exit(outcome.exit_code)


@app.command()
@takes_outputs
def judge(run: Run, outputs: OutputFiles, as_json: Json = False) -> None:
    """Judge a run again, from its recording alone, and write its verdict."""
    from harness import matrix_console, sweep_console
    from harness.any_folder import judge_folder
    from harness.publishing import publish_folder

    with _errors_become_exit_codes():
        destinations = destinations_of(outputs)
        verdict = judge_folder(run)
        show = matrix_console.show_verdict if verdict.matrix else sweep_console.show_verdict
        show(verdict, run, as_json=as_json)
        publish_folder(run, verdict, destinations)
        raise typer.Exit(of_status(verdict.status))


@app.command()
def report(
    run: Run,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="BASE",
            help="Draw the curves of another run beside this run's: a folder, a quoted pattern, or baseline:NAME.",
            show_default=False,
        ),
    ] = None,
    out: Out = Path("results"),
) -> None:
    """Write a run's HTML report, plots and tables again, from its verdict."""
    from harness.any_folder import render_folder

    with _errors_become_exit_codes():
        print(render_folder(run, base, out))


comparison_commands.add_commands(app)
playground_commands.add_commands(app)


@app.command()
@takes_outputs
def prove(
    outputs: OutputFiles,
    quick: Annotated[bool, typer.Option("--quick", help="The part that takes two minutes.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this planted bug or control; repeat for more.", show_default=False),
    ] = None,
    controls: Annotated[
        int | None,
        typer.Option(min=0, help="How many smoke runs of a correct server.", show_default="3; 1 with --quick"),
    ] = None,
    force: Force = False,
    out: Out = Path("results"),
    as_json: Json = False,
) -> None:
    """Plant known bugs and controls, and compare each verdict with the expected one."""
    from harness import console
    from harness.outputs.summary import proof_summary
    from harness.prove.command import make_proof
    from harness.prove.selection import select

    with _errors_become_exit_codes():
        destinations = destinations_of(outputs)
        selection = select(quick=quick, only=tuple(only or ()), controls=controls)
        proof, page = make_proof(selection, out=out, forced=force, say=console.show_proof_row)
        console.show_proof(proof, page, as_json=as_json)
        if destinations:
            destinations.write(proof_summary(proof, report=str(page)))
        if not proof.complete:
            raise typer.Exit(ExitCode.INTERRUPTED)
        raise typer.Exit(ExitCode.PASS if proof.right else ExitCode.FAIL)
