"""How the harness starts Python modules as child processes: with a search path and an environment that it chose."""

import json
import os
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from harness.model.component import COMPONENT_KINDS
from harness.model.registry import EXTENSIONS_VARIABLE

_DROPPED = (
    *(prefix for kind in COMPONENT_KINDS for prefix in kind.variables),
    *("UVICORN_", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "PYTHON", "HARNESS_", "MALLOC_"),
    *("SSL_", "SSLKEYLOGFILE", "OPENSSL_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("DOCKER_", "AIOHTTP_", "UVLOOP_", "UV_"),
    *(
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "FTP_PROXY",
        "WS_PROXY",
        "WSS_PROXY",
        "SOCKS_PROXY",
        "NETRC",
    ),
    *("WEBSOCKETS_", "NUMPY_", "NPY_", "OMP_", "OPENBLAS_", "MKL_", "MPLCONFIG", "MPLBACKEND"),
)
"""Prefixes of the names of variables, in capitals."""
_KEPT = (
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONNOUSERSITE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    EXTENSIONS_VARIABLE,
)


def python_program(module: str, *arguments: str, folder: Path | None = None) -> list[str]:
    """The command line that runs ``module`` with this interpreter.

    The current folder is not searched first, as it would be with ``python -m``. Every folder that this process
    searches, and ``folder``, come after Python's own modules and the installed packages.
    """
    folders = [os.path.abspath(entry) for entry in (*sys.path, *([str(folder)] if folder else []))]
    script = Path(__file__).with_name("run_module.py")
    return [sys.executable, "-P", str(script), json.dumps(list(dict.fromkeys(folders))), module, *arguments]


def child_environment() -> Mapping[str, str]:
    """This process's environment without variables that configure a library of the child: an address of PostgreSQL in
    PGHOST, TLS in PGSSLMODE, a proxy, a debug mode of Python …, and without the harness's own variables, which hold the
    token and the passwords of an external cluster. A child that needs one of them gets it explicitly."""
    return {name: value for name, value in os.environ.items() if name in _KEPT or not name.upper().startswith(_DROPPED)}


def can_import(module: str, folder: Path) -> bool:
    """Whether `python_program` with this ``folder`` finds the module. It runs only the packages above the module, not
    the module itself."""
    try:
        if find_spec(module) is not None:
            return True
    except (ImportError, ValueError):
        pass
    search: list[str] = [*sys.path, str(folder)]
    parts = module.split(".")
    for n in range(1, len(parts) + 1):
        spec = PathFinder.find_spec(".".join(parts[:n]), search)
        if spec is None:
            return False
        search = list(spec.submodule_search_locations or [])
    return True
