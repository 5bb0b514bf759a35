"""Addresses as a person writes them. Every part of an address is used or refused."""

import ipaddress
import os
import re
import stat
from collections.abc import Mapping, Sequence
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from harness.model.cluster import Endpoint, ServerAddress
from harness.model.component import ComponentKind
from harness.model.errors import UsageError
from harness.model.tls import Tls

SERVER_EXAMPLE = "http://HOST:PORT or https://HOST:PORT, with a path where the servers are below one"
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?", re.IGNORECASE)
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_BRACKETED = re.compile(r"\[[^\[\]]*:[^\[\]]*\](:.*)?")
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.IGNORECASE)
"""A last label that resolvers read as part of an IPv4 address, decimal, octal or hexadecimal."""
_MAPPED_TWICE = frozenset("ßẞς\u200c\u200d")
"""IDNA 2003 replaces these letters, IDNA 2008 keeps them, so one name may mean two hosts."""
_DATABASE_NUMBER = re.compile(r"[0-9]{1,9}")
LIMIT_CHARACTERS = 2_000
AUTHORITIES_LIMIT_BYTES = 16_000_000
"""The certificates of all authorities of a system need less than 1 MB."""
_SSL_MODES: Mapping[str, tuple[Tls | None, bool]] = {
    "disable": (None, False),
    "allow": (Tls(insecure=True), True),
    "prefer": (Tls(insecure=True), True),
    "require": (Tls(insecure=True), False),
    "verify-ca": (Tls(any_host=True), False),
    "verify-full": (Tls(), False),
}
"""libpq's modes: how the database's certificate is verified, and whether a connection without TLS is good enough."""


class _Unfit(Exception):
    """A part that an address must not have, in words that do not show the address."""


def parse_servers(urls: Sequence[str], tls: Tls) -> tuple[ServerAddress, ...]:
    """The servers, named in order. Raises UsageError with every address that is not one."""
    addresses: list[ServerAddress] = []
    objections = []
    for number, url in enumerate(urls, 1):
        try:
            address = _server(url, f"server-{number}", tls)
        except _Unfit as unfit:
            objections.append(f"--server {_shown(url)}: expected {SERVER_EXAMPLE}; found {unfit}")
            continue
        if address.url in (earlier.url for earlier in addresses):
            objections.append(f"--server {url}: expected each server once, found the same address before it")
        addresses.append(address)
    if objections:
        raise UsageError(*objections)
    return tuple(addresses)


def parse_endpoint(kind: ComponentKind, url: str) -> Endpoint:
    """``SCHEME://USER:PASSWORD@HOST:PORT/DATABASE``; missing parts get the kind's defaults. Raises UsageError for a
    part that the harness does not support; the message does not show the address, which may hold a password.
    """
    try:
        return _endpoint(kind, url)
    except _Unfit as unfit:
        raise UsageError(f"{kind.variable}: expected {kind.example}, found something else: {unfit}") from None
    except UsageError as error:
        raise UsageError(f"{kind.variable}: {error}") from None


def _server(url: str, name: str, tls: Tls) -> ServerAddress:
    parts = _split(url)
    if parts.scheme in ("ws", "wss"):
        raise _Unfit("an address of a WebSocket: the harness opens it below the server's own")
    if parts.scheme not in ("http", "https"):
        raise _Unfit("another scheme" if parts.scheme else "no scheme")
    if parts.username is not None or parts.password is not None:
        raise _Unfit("a user or password: the token goes into the variable HARNESS_TOKEN")
    if parts.query or "?" in url:
        raise _Unfit("a query (?…)")
    path = _ESCAPE.sub(_unescaped, parts.path).rstrip("/")
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise _Unfit("a path with characters that must be written as %XX, or with empty or dotted parts")
    secure = parts.scheme == "https"
    return ServerAddress(
        name=name,
        host=_host(parts),
        port=_port(parts) or (443 if secure else 80),
        path=path,
        tls=tls if secure else None,
    )


def _endpoint(kind: ComponentKind, url: str) -> Endpoint:
    parts = _split(url)
    if parts.scheme not in kind.schemes:
        raise _Unfit("another scheme" if parts.scheme else "no scheme")
    query = _query(parts, kind.parameters)
    socket_folder = query.pop("host", "")
    if socket_folder and (parts.hostname or not socket_folder.startswith("/")):
        raise _Unfit("a parameter host that is not the folder of a socket, or a host beside it")
    host = socket_folder or _host(parts, sockets="host" in kind.parameters)
    if parts.username and parts.password is None and not kind.default_user:
        raise _Unfit(f"a user without a password: write {kind.schemes[0]}://:PASSWORD@HOST for a password alone")
    database = _text(parts.path.removeprefix("/"))
    if "/" in database or (database and kind.database_is_number and not _DATABASE_NUMBER.fullmatch(database)):
        raise _Unfit("a path that names no database")
    tls, optional = _endpoint_tls(kind, parts.scheme, query)
    return Endpoint(
        kind=kind.name,
        host=host,
        port=_port(parts) or kind.default_port,
        user=_text(parts.username or kind.default_user),
        password=_text(parts.password or ""),
        database=database or kind.default_database,
        tls=None if host.startswith("/") else tls,
        tls_optional=optional,
    )


def _split(url: str) -> SplitResult:
    text = url.strip()
    if len(text) > LIMIT_CHARACTERS:
        raise _Unfit(f"{len(text):,} characters, more than {LIMIT_CHARACTERS:,}")
    # urlsplit drops tabs and newlines in silence.
    if any(character.isspace() or not character.isprintable() for character in text):
        raise _Unfit("white space or a control character")
    if "#" in text:
        raise _Unfit("a fragment (#…): within a password write # as %23, ? as %3F, / as %2F, @ as %40")
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        if "port" not in str(error).lower():
            raise _Unfit("brackets without an IPv6 address") from None
        hint = " (within a password write ? as %3F, / as %2F, @ as %40)" if "@" in text else ""
        raise _Unfit(f"a port that is no number from 1 to 65535{hint}") from None
    if _NO_ESCAPE.search(text):
        raise _Unfit("a % that begins no %XX: write % as %25")
    return parts


def _unescaped(escape: "re.Match[str]") -> str:
    """``%61`` as ``a``: two ways to write the same address (RFC 3986 §6.2.2)."""
    character = chr(int(escape[0][1:], 16))
    return character if _UNRESERVED.fullmatch(character) else escape[0].upper()


def _host(parts: SplitResult, *, sockets: bool = False) -> str:
    place = parts.netloc.rpartition("@")[2]
    if "," in place:
        raise _Unfit("several hosts: the harness asks one")
    if "[" in place and not _BRACKETED.fullmatch(place):
        raise _Unfit("brackets without an IPv6 address")
    host = parts.hostname or ""
    if not host:
        raise _Unfit("no host")
    if sockets and unquote(host).startswith("/"):
        return unquote(place.partition(":")[0])
    try:
        return str(ipaddress.IPv6Address(host.replace("%", "?"))) if ":" in host else _name(host)
    except ValueError:
        raise _Unfit("a host that is neither a name nor an IP address") from None


def _name(host: str) -> str:
    """A name as DNS writes it, or an IPv4 address. Raises ValueError."""
    if _MAPPED_TWICE & set(host):
        raise _Unfit("a name with a letter that is written in two ways: write the name as xn--…")
    name = host if host.isascii() else host.encode("idna").decode()
    if not _HOST.fullmatch(name):
        raise ValueError(name)
    for label in name.split("."):
        if label.startswith("xn--") and label[4:].encode().decode("punycode").isascii():
            raise ValueError(name)
    return str(ipaddress.IPv4Address(name)) if _NUMERIC.fullmatch(name.rstrip(".").rpartition(".")[2]) else name


def _port(parts: SplitResult) -> int | None:
    if parts.port == 0 or parts.netloc.endswith(":"):
        raise _Unfit("a port that is no number from 1 to 65535")
    return parts.port


def _query(parts: SplitResult, known: Sequence[str]) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    for name, value in pairs:
        if name not in known or not value:
            expected = f"expected {', '.join(known)}" if known else "expected none"
            raise _Unfit(f"the parameter {name[:40]!a} ({expected}, each with a value)")
    if len(dict(pairs)) < len(pairs):
        raise _Unfit("a parameter twice")
    return dict(pairs)


def _endpoint_tls(kind: ComponentKind, scheme: str, query: Mapping[str, str]) -> tuple[Tls | None, bool]:
    """How the connection is encrypted, and whether a connection without TLS is accepted."""
    ca = query.get("sslrootcert") or query.get("ssl_ca_certs") or ""
    authorities = read_authorities(ca) if ca else ""
    if scheme in kind.tls_schemes:
        return Tls(authorities=authorities), False
    if kind.tls_schemes:
        if ca:
            raise _Unfit(f"ssl_ca_certs without TLS: the scheme is {kind.tls_schemes[0]} then")
        return None, False
    mode = query.get("sslmode", "verify-ca" if ca else "prefer")
    if mode not in _SSL_MODES:
        raise _Unfit(f"a sslmode that is none of {', '.join(_SSL_MODES)}")
    tls, optional = _SSL_MODES[mode]
    if mode == "require" and ca:  # as libpq does
        tls = _SSL_MODES["verify-ca"][0]
    if tls is not None and not tls.insecure:
        tls = Tls(authorities=authorities, any_host=tls.any_host)
    return tls, optional


def read_authorities(path: str) -> str:
    """The certificates of a file, as PEM text. Raises UsageError if there are none."""
    import ssl

    try:
        # A pipe or a device may have no end, and the file is read again when the run starts.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise UsageError(f"{path}: expected a file with certificates of authorities (PEM), found no regular file")
        with open(path, "rb") as file:
            # Bundles have comments in any encoding; the certificates themselves are ASCII.
            text = file.read(AUTHORITIES_LIMIT_BYTES).decode("ascii", errors="ignore")
        ssl.create_default_context(cadata=text or "none")
    except OSError as error:
        raise UsageError(f"{path}: expected certificates of authorities (PEM): {error.strerror}") from None
    except (ssl.SSLError, ValueError):
        raise UsageError(f"{path}: expected certificates of authorities (PEM), found something else") from None
    return text


def _text(quoted: str) -> str:
    try:
        text = unquote(quoted, errors="strict")
    except UnicodeDecodeError:
        raise _Unfit("%XX that are no UTF-8") from None
    if any(character in text for character in "\0\r\n"):
        raise _Unfit("a newline in the user, the password or the name of the database")
    return text


def _shown(url: str) -> str:
    """The address without a possible password."""
    head, at, tail = url.rpartition("@")
    return repr(f"{head.partition('://')[0]}://…@{tail}" if at else url)
