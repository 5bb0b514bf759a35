"""Each part of an address is used or refused."""

import os
from pathlib import Path

import pytest

from harness.model.addresses import parse_endpoint, parse_servers, read_authorities
from harness.model.component import COMPONENT_KINDS
from harness.model.errors import UsageError
from harness.model.tls import Tls
from tests.tls_proxy import Authority

POSTGRESQL, REDIS = COMPONENT_KINDS.get("postgresql"), COMPONENT_KINDS.get("redis")


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("http://10.0.0.5:8000", "http://10.0.0.5:8000"),
        ("HTTP://Chat.Example/", "http://chat.example"),
        ("https://chat.example", "https://chat.example"),
        ("https://chat.example:8443/chat/", "https://chat.example:8443/chat"),
        ("http://[::1]:8001", "http://[::1]:8001"),
        ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
        ("http://server_1:80", "http://server_1"),
        ("http://bücher.example:80", "http://xn--bcher-kva.example"),
        (" http://h:1 \n", "http://h:1"),
        ("http://h/%61%7e%2F%3a", "http://h/a~%2F%3A"),
    ],
)
def test_the_address_of_a_server(url: str, seen: str) -> None:
    """An address has a scheme, a name or an IP address of either version, a port and a path."""
    (found,) = parse_servers([url], Tls())
    assert found.url == seen
    assert (found.tls is not None) == seen.startswith("https")
    assert found.websocket_base == seen.replace("http", "ws", 1)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "no scheme"),
        ("chat.example:8000", "another scheme"),
        ("ftp://h", "another scheme"),
        ("wss://h", "an address of a WebSocket"),
        ("http://", "no host"),
        ("http://:8000", "no host"),
        ("http://h:", "a port"),
        ("http://h:0", "a port"),
        ("http://h:65536", "a port"),
        ("http://h:-1", "a port"),
        ("http://h:8000x", "a port"),
        ("http://u:p@h", "a user or password"),
        ("http://@h", "a user or password"),
        ("http://h?", "a query"),
        ("http://h/?a=b", "a query"),
        ("http://h/#", "a fragment"),
        ("http://h/a/../b", "a path"),
        ("http://h//a", "a path"),
        ("http://h/ä", "a path"),
        ("http://h/%zz", "a %"),
        ("http://10.0.0.256", "a host"),
        ("http://1.2.3", "a host"),
        ("http://a..b", "a host"),
        ("http://a,b", "several hosts"),
        ("http://[::1", "brackets"),
        ("http://[fe80::1%25eth0]", "a host"),
        ("http://h\n/x", "white space"),
        ("http://h /x", "white space"),
        ("http://h\0", "white space or a control"),
        ("http://[::1]x:80", "brackets"),
        ("http://[v1.x]", "brackets"),
        ("http://x[::1]", "brackets"),
        ("http://0x7f000001", "a host"),
        ("http://127.0.0.0x1", "a host"),
        ("http://127.0.0.1.", "a host"),
        ("http://2130706433", "a host"),
        ("http://xn--", "a host"),
        ("http://a.xn--abc-.de", "a host"),
        ("http://straße.example", "a name with a letter"),
        ("http://h/%2e%2E/a", "a path"),
        ("http://h/" + "a" * 2_000, "2,009 characters"),
    ],
)
def test_an_address_that_no_server_has(url: str, why: str) -> None:
    with pytest.raises(UsageError, match=f"--server .*expected http://HOST:PORT.*found {why}") as refused:
        parse_servers([url], Tls())
    assert "p@" not in str(refused.value)


def test_every_bad_address_is_named_and_none_may_come_twice() -> None:
    """All bad addresses are named at once. Two names of one server would count as two servers."""
    with pytest.raises(UsageError) as refused:
        parse_servers(["http://h:1", "ftp://x", "http://h:99999", "http://h:1/"], Tls())
    assert len(refused.value.objections) == 3
    assert "the same address" in refused.value.objections[2]


def test_the_address_of_a_database() -> None:
    """A part that the address leaves out gets PostgreSQL's default. Special characters in a password are written as
    %XX."""
    found = parse_endpoint(POSTGRESQL, "postgresql://ada:s%40crt@db.example:5433/chat")
    assert (found.host, found.port, found.user, found.password, found.database) == (
        *("db.example", 5433, "ada", "s@crt", "chat"),
    )
    found = parse_endpoint(POSTGRESQL, "postgres://[::1]")
    assert (found.host, found.port, found.user, found.database) == ("::1", 5432, "postgres", "postgres")
    assert found.place == "[::1]:5432"


@pytest.mark.parametrize("url", ["postgresql://%2Frun%2Fpg:6000/chat", "postgresql://:6000/chat?host=/run/pg"])
def test_a_database_behind_a_unix_socket(url: str) -> None:
    """The folder of the socket is the host, in both notations of libpq."""
    found = parse_endpoint(POSTGRESQL, url)
    assert (found.host, found.port, found.database, found.tls) == ("/run/pg", 6000, "chat", None)


@pytest.mark.parametrize(
    ("mode", "tls", "optional"),
    [
        ("disable", None, False),
        ("prefer", Tls(insecure=True), True),
        ("require", Tls(insecure=True), False),
        ("verify-ca", Tls(any_host=True), False),
        ("verify-full", Tls(), False),
    ],
)
def test_the_modes_of_tls(mode: str, tls: Tls | None, optional: bool) -> None:
    """The modes are those of sslmode in libpq. Without sslmode TLS is used if the database offers it."""
    found = parse_endpoint(POSTGRESQL, f"postgresql://h/?sslmode={mode}")
    assert (found.tls, found.tls_optional) == (tls, optional)
    assert parse_endpoint(POSTGRESQL, "postgresql://h").tls_optional


def test_the_address_of_redis() -> None:
    """The address has only a password, or also the user of an access control list. TLS has its own scheme."""
    found = parse_endpoint(REDIS, "redis://:geheim@broker.example")
    assert (found.host, found.port, found.user, found.password) == ("broker.example", 6379, "", "geheim")
    found = parse_endpoint(REDIS, "rediss://ada:geheim@broker.example:6380/2")
    assert (found.port, found.user, found.password, found.database) == (6380, "ada", "geheim", "2")
    assert found.tls == Tls()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://db/chat", "another scheme"),
        ("db:5432", "another scheme"),
        ("postgresql://", "no host"),
        ("postgresql:///chat", "no host"),
        ("postgresql://h:99999999/x", "a port"),
        ("postgresql://u:geheim@h:x/x", "a port"),
        ("postgresql://a,b/x", "several hosts"),
        ("postgresql://a:1,b:2/x", "."),
        ("postgresql://h/x/y", "a path"),
        ("postgresql://u:ge#heim@h/x", "a fragment"),
        ("postgresql://u:50%geheim@h/x", "a %"),
        ("postgresql://u:geheim@h/x\ny", "white space"),
        ("postgresql://u:geheim%0A@h/x", "a newline"),
        ("postgresql://h/x?sslmode=sometimes", "a sslmode"),
        ("postgresql://h/x?sslmode=", "the parameter"),
        ("postgresql://h/x?sslmode=require&sslmode=disable", "a parameter twice"),
        ("postgresql://h/x?options=-c%20a=b", "the parameter 'options'"),
        ("postgresql://h/x?service=s", "the parameter 'service'"),
        ("postgresql://h/x?host=other", "a parameter host"),
        ("postgresql://h/x?host=/run", "a parameter host"),
    ],
)
def test_an_address_that_no_database_has_is_refused_without_showing_it(url: str, why: str) -> None:
    """The address may contain a password."""
    with pytest.raises(
        UsageError, match=f"HARNESS_DATABASE: expected postgresql://.*found something else: .*{why}"
    ) as refused:
        parse_endpoint(POSTGRESQL, url)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("unix:///run/redis.sock", "another scheme"),
        ("redis://geheim@h", "a user without a password"),
        ("redis://h/chat", "a path"),
        ("redis://h?ssl_cert_reqs=none", "the parameter"),
        ("redis://h?ssl_ca_certs=/dev/null", "."),
        ("redis://h:6379:6380", "a port"),
    ],
)
def test_an_address_that_no_redis_has(url: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        parse_endpoint(REDIS, url)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("path", ["/%ff", "/a%00b", "/a%0Ab", "/a%0db"])
def test_a_database_whose_name_no_connection_can_carry(path: str) -> None:
    with pytest.raises(UsageError, match="HARNESS_DATABASE: expected"):
        parse_endpoint(POSTGRESQL, f"postgresql://u:p@h{path}")


@pytest.mark.parametrize("path", ["/x", "/-1", "/²", "/٣", "/" + "9" * 20])
def test_the_database_of_redis_is_a_number(path: str) -> None:
    with pytest.raises(UsageError, match=r"HARNESS_REDIS: expected .*names no database"):
        parse_endpoint(REDIS, f"redis://h{path}")


@pytest.mark.parametrize("name", ["gone", "folder", "text", "der"])
def test_a_file_of_authorities_is_named_with_its_variable(name: str, tmp_path: Path) -> None:
    """The message names the variable, because a person may have set two of them."""
    file = tmp_path / name
    if name == "folder":
        file.mkdir()
    elif name != "gone":
        file.write_bytes(b"\x30\x82\xff" if name == "der" else b"no certificate")
    with pytest.raises(UsageError, match=r"HARNESS_DATABASE: .*expected .*certificates of authorities"):
        parse_endpoint(POSTGRESQL, f"postgresql://u:p@h/d?sslrootcert={file}")


@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "/dev/null", "folder"])
def test_authorities_are_read_from_a_file_alone(kind: str, tmp_path: Path) -> None:
    """A pipe or a device is refused: the harness would wait for a writer, or read for ever."""
    path = tmp_path / "authorities"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(kind)
    with pytest.raises(UsageError, match="expected a file with certificates of authorities"):
        read_authorities(str(path))


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "utf-8-sig"])
def test_comments_between_certificates_may_be_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    """The bundles of Mozilla's authorities have the name of each authority in a comment."""
    authority = Authority(tmp_path)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes("# Főtanúsítvány\n".encode(encoding, "replace") + authority.file.read_bytes())
    assert read_authorities(str(bundle)).isascii()
