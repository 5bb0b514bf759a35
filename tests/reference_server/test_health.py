"""The health check of a container, with a real server."""

import json
import sys
from pathlib import Path

import pytest

from reference_server import health
from tests.reference_server.stack import Cluster, free_port

pytestmark = pytest.mark.integration


def check(file: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["health", "--settings", str(file)])
    return health.main()


def test_a_server_that_answers_is_healthy(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The health check reads the settings of the server and ends with exit code 0."""
    assert check(cluster.servers[0].file, monkeypatch) == 0


def test_a_server_that_does_not_answer_is_not(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1 if nothing listens, if the token is refused, or if the settings cannot be used."""
    good = cluster.servers[0].settings
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(good | {"port": free_port()}))
    assert check(file, monkeypatch) == 1
    assert "refused" in capsys.readouterr().err
    file.write_text(json.dumps(good | {"token": "other"}))
    assert check(file, monkeypatch) == 1
    file.write_text("{}")
    assert check(file, monkeypatch) == 1
    assert str(file) in capsys.readouterr().err
