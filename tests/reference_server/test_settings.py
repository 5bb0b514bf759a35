import json
from pathlib import Path
from typing import Any

import pytest

from reference_server.backplane.redis_pubsub import Redis
from reference_server.protocol.protocol_limits import Limits
from reference_server.settings import SettingsError, load

GOOD: dict[str, Any] = {
    "port": 8000,
    "token": "secret",
    "postgres": {"host": "/run/postgresql"},
    "backplane": {"name": "redis", "host": "127.0.0.1"},
}


def written(path: Path, content: object) -> Path:
    file = path / "settings.json"
    file.write_text(json.dumps(content))
    return file


def test_missing_settings_have_the_defaults_of_the_protocol(tmp_path: Path) -> None:
    """Only the port, the token, and the addresses of database and broker are required. The server listens on
    loopback."""
    settings = load(written(tmp_path, GOOD))
    assert settings.host == "127.0.0.1"
    assert settings.limits == Limits(body_bytes=65_536, text_bytes=16_384, frame_bytes=4_096, connections=12_000)
    assert settings.write_path == "db-first"


def test_an_address_may_be_given_as_one_string(tmp_path: Path) -> None:
    """The address of PostgreSQL may be a postgresql:// string."""
    assert load(written(tmp_path, GOOD | {"postgres": "postgresql://u@h/d"})).postgres == "postgresql://u@h/d"


def test_secrets_may_be_in_files(tmp_path: Path) -> None:
    """Other people may read the settings, and container engines pass secrets as files."""
    for name in ("token", "db", "broker"):
        (tmp_path / name).write_text(f"{name}-secret\n")
    settings = load(
        written(
            tmp_path,
            {
                "port": 8000,
                "token_file": str(tmp_path / "token"),
                "postgres": {"host": "db", "password_file": str(tmp_path / "db")},
                "backplane": {"name": "redis", "host": "broker", "password_file": str(tmp_path / "broker")},
            },
        )
    )
    assert settings.token == "token-secret"
    assert not isinstance(settings.postgres, str)
    assert isinstance(settings.backplane.section, Redis)
    assert (settings.postgres.password, settings.backplane.section.password) == ("db-secret", "broker-secret")
    assert settings.name


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    """The message names the file and why it could not be read."""
    with pytest.raises(SettingsError, match=r"the secret /nowhere/token: No such file"):
        load(
            written(tmp_path, {name: GOOD[name] for name in GOOD if name != "token"} | {"token_file": "/nowhere/token"})
        )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"prot": 1}, "prot"),
        ({"limits": {"bodybytes": 1}}, "bodybytes"),
        ({"backplane": {"name": "redis", "host": "h", "db": 1}}, "`db`"),
        ({"port": "8000"}, "port"),
        ({"port": 0}, "port"),
        ({"token": ""}, "token"),
        ({"backplane": {"name": "redis"}}, 'backplane "redis": Object missing required field `host`'),
        ({"backplane": {"name": "redis", "host": "h", "port": "6379"}}, "port"),
        ({"backplane": {"name": "memory", "host": "h"}}, 'backplane "memory": Object contains unknown field `host`'),
        ({"backplane": {"name": "carrier-pigeon"}}, 'backplane "carrier-pigeon" is not implemented; expected one of:'),
        ({"backplane": {"host": "h"}}, "expected an object with a `name`, one of: kafka, memory, "),
        ({"backplane": "redis"}, "expected an object with a `name`, one of: kafka, memory, "),
        ({"backplane": None}, "backplane"),
        ({"redis": {"host": "h"}}, "redis"),
        (
            {"write_path": "log-first"},
            'write_path "log-first" is not implemented; expected one of: broker-first, db-first',
        ),
        (
            {"write_path": "broker-first", "backplane": {"name": "memory"}},
            "its numbers come from a broker; expected `backplane` redis",
        ),
        ({"limits": {"connections": 0}}, "connections"),
        ({"limits": {"send_buffer_bytes": 2**31}}, "send_buffer_bytes"),
        ({"commit_pause_ms": -1}, "commit_pause_ms"),
    ],
)
def test_a_problem_is_named(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    """The message names the file and the key. A typing mistake must never silently mean the default."""
    file = written(tmp_path, GOOD | change)
    with pytest.raises(SettingsError) as caught:
        load(file)
    assert named in str(caught.value)
    assert str(file) in str(caught.value)


def test_an_unreadable_file_is_a_settings_error(tmp_path: Path) -> None:
    """A missing file and a file without valid JSON are reported like any other problem."""
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "nowhere.json")
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(SettingsError, match=r"bad\.json"):
        load(tmp_path / "bad.json")


@pytest.mark.parametrize("token", [" key\n", "key\r\n"])
def test_white_space_around_a_secret_is_no_part_of_it(token: str, tmp_path: Path) -> None:
    """This holds for a secret in the settings and for a secret in a file."""
    assert load(written(tmp_path, GOOD | {"token": token})).token == "key"
    (tmp_path / "token").write_text(token)
    assert load(written(tmp_path, GOOD | {"token": "", "token_file": str(tmp_path / "token")})).token == "key"


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("two words", "has a space"),
        ("schlüssel", "beyond ASCII"),
        ("geheim\nx", "a line break"),
        ("geheim\x00x", "a control character"),
        ("\n", "is empty"),
    ],
)
def test_a_secret_that_cannot_be_one_is_refused_in_one_sentence(token: str, words: str, tmp_path: Path) -> None:
    """The secret may be in the settings or in a file. The message does not show it."""
    (tmp_path / "token").write_text(token)
    for given in ({"token": token}, {"token": "", "token_file": str(tmp_path / "token")}):
        with pytest.raises(SettingsError, match=words) as refused:
            load(written(tmp_path, GOOD | given))
        assert "geheim" not in str(refused.value)


def test_passwords_are_read_like_tokens(tmp_path: Path) -> None:
    """A password may have characters of any alphabet, but only one line. Bytes that are no valid text are refused."""
    file = tmp_path / "password"
    postgres = {"host": "h", "password_file": str(file)}
    file.write_text("schlüssel mit leerstelle\n", "utf-8")
    read = load(written(tmp_path, GOOD | {"postgres": postgres})).postgres
    assert not isinstance(read, str)
    assert read.password == "schlüssel mit leerstelle"
    for content in (b"", b"\n", b"a\nb", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(SettingsError, match="the secret"):
            load(written(tmp_path, GOOD | {"postgres": postgres}))
    with pytest.raises(SettingsError, match="`postgres` has a line break"):
        load(written(tmp_path, GOOD | {"postgres": "postgresql://u:a\nb@h/d"}))
