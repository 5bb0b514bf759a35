"""The rules of ARCHITECTURE.md: which module may import which."""

import ast
import functools
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SIBLINGS = ("report", "checks", "load", "observation", "environments")
PURE_PLANNING = {"load", "checks", "observation"}
TOP = {
    "cli",
    "commands",
    "console",
    "experiment",
    "preflight",
    "playground",
    "catalog",
    "machine_lock",
    "exit_codes",
    "output",
    "interruption",
}
SPEAKS_TO_SERVERS = {"load", "observation", "environments"}
"""Layers that use the client protocol's adapter, `harness.protocol`, which lies below them."""

OWN_LAYER = {
    "docker": ("harness/environments/docker/docker_engine.py",),
    "matplotlib": ("harness/report/",),
    "jinja2": ("harness/report/",),
    "typer": (
        "harness/commands.py",
        "harness/comparison_commands.py",
        "harness/command_errors.py",
        "harness/playground_commands.py",
        "harness/option_parsers.py",
        "harness/options.py",
        "harness/output_options.py",
    ),
    "rich": ("harness/console.py", "harness/report/text/terminal.py"),
    "picows": (),
    "httptools": ("harness/load/protocol/",),
    "redis": ("harness/components/redis.py",),
    "asyncpg": ("reference_server/message_log/", "harness/components/postgresql.py", "harness/observation/"),
    "uvicorn": ("reference_server/",),
    "starlette": ("reference_server/",),
    "hiredis": ("reference_server/backplane/",),
    "aiokafka": ("reference_server/backplane/kafka_topic.py", "reference_server/backplane/kafka_publisher.py"),
}


@functools.cache
def imports(path: Path) -> frozenset[str]:
    """Full names of all modules that a file imports, at any place in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def layer(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "harness" and len(parts) > 1 else ""


@pytest.mark.parametrize("path", modules("harness"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down_only(path: Path) -> None:
    """Siblings never import each other. Planning imports recording and model, and model imports the standard
    library."""
    mine = path.relative_to(ROOT / "harness").parts[0].removesuffix(".py")
    used = {layer(name) for name in imports(path)} - {"", mine, "__version__"}
    allowed = {
        "model": set(),
        "components": {"model"},
        "recording": {"model"},
        "protocol": {"model", "recording"},
        "planning": {"model", "recording"},
        "live": {"model", "recording", "planning"},
        "exit_codes": {"model"},
        "machine_lock": {"model"},
        "catalog": {"model", "planning"},
        "measures": {"model", "recording", "checks"},
        "outputs": {"model", "recording", "measures"},
        "history": {"model", "recording", "measures", "checks"},
        "comparison": {"model", "measures", "checks"},
        "prove": {"model", "recording", "planning", "environments", "report", "machine_lock", "interruption"},
    }
    if mine in SIBLINGS:
        allowed[mine] = {"model", "components", "recording"} | ({"planning"} if mine in PURE_PLANNING else set())
        allowed[mine] |= {"protocol"} if mine in SPEAKS_TO_SERVERS else set()
    if mine in allowed:
        assert used <= allowed[mine], f"{mine} may import {sorted(allowed[mine])}"
    else:
        assert not used & {"cli", "commands"} or mine == "cli"


@pytest.mark.parametrize("path", modules("harness/model"), ids=lambda path: path.name)
def test_the_model_needs_nothing(path: Path) -> None:
    """Values depend only on the standard library and on each other."""
    import sys

    foreign = {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - {"harness"}
    assert foreign == set()


def test_the_server_and_the_harness_share_no_code() -> None:
    """Both follow docs/protocol.md, and have nothing else in common."""
    for path in modules("reference_server"):
        assert not {name for name in imports(path) if name.split(".")[0] in ("harness", "scenarios")}, path
    for path in (*modules("harness"), *modules("scenarios")):
        foreign = {name.split(".")[0] for name in imports(path)} & {"reference_server", "planted_server"}
        assert not foreign, path


def test_planted_servers_are_builds_of_the_reference_server() -> None:
    """They change the reference server, which does not import them. They share no code with the harness."""
    for path in modules("planted_server"):
        assert not {name for name in imports(path) if name.split(".")[0] in ("harness", "scenarios")}, path
    for path in modules("reference_server"):
        assert not {name for name in imports(path) if name.split(".")[0] == "planted_server"}, path


@pytest.mark.parametrize("room", ["measures", "history", "comparison"])
def test_what_compares_runs_takes_only_statistics_of_the_checks(room: str) -> None:
    """Runs are compared by their verdicts. No recording is judged again."""
    for path in modules(f"harness/{room}"):
        used = {name for name in imports(path) if name.startswith("harness.checks")}
        assert all(name.startswith("harness.checks.statistics") for name in used), path


def test_nothing_but_the_command_uses_what_proves() -> None:
    """No other command may contain planted bugs."""
    for path in modules("harness"):
        place = path.relative_to(ROOT / "harness").parts[0]
        if place not in ("prove", "commands.py"):
            assert not {name for name in imports(path) if name.startswith("harness.prove")}, path


def test_scenarios_are_values() -> None:
    """A scenario imports the model and planning, but no code that runs it."""
    for path in modules("scenarios"):
        assert {layer(name) for name in imports(path)} <= {"", "model", "planning"}, path
        assert len(path.read_text().splitlines()) <= 80


@pytest.mark.parametrize(("package", "places"), OWN_LAYER.items())
def test_packages_stay_in_their_layer(package: str, places: tuple[str, ...]) -> None:
    """Each of these packages is imported only in its layer, so it can be replaced there."""
    for path in (*modules("harness"), *modules("reference_server"), *modules("scenarios")):
        name = str(path.relative_to(ROOT))
        if package in {used.split(".")[0] for used in imports(path)}:
            assert name.startswith(places), f"{name} imports {package}"


@pytest.mark.parametrize("package", ["harness", "reference_server", "planted_server"])
def test_no_text_is_in_the_encoding_of_the_locale(package: str) -> None:
    """In the locale C the encoding is ASCII, but a folder or a user may have any name. So each call that reads or
    writes text names its encoding."""
    found = []
    for path in modules(package):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _takes_text(node) and not _says_encoding(node):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def _takes_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    starts = name in ("run", "Popen", "check_output") and any(keyword.arg == "text" for keyword in call.keywords)
    return starts or name in ("read_text", "write_text")


def _says_encoding(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    place = {"read_text": 1, "write_text": 2}.get(name, len(call.args) + 1)
    return len(call.args) >= place or any(keyword.arg == "encoding" for keyword in call.keywords)
