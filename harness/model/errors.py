"""Errors that a person reads. Each says what was expected, what was found and what to do, in one message."""


class HarnessError(Exception):
    """The root: shown as its message, without a traceback."""


class UsageError(HarnessError):
    """The request is not possible as given. ``objections`` lists every reason, not only the first."""

    def __init__(self, *objections: str) -> None:
        super().__init__("\n".join(objections))
        self.objections = objections


class EnvironmentFailure(HarnessError):
    """The cluster, the machine or the disk failed."""


class NeverReady(EnvironmentFailure):
    """A part refuses for a reason that waiting does not change: a password, a missing right, TLS."""


class WorkerLost(HarnessError):
    """A process of the load generator ended during the run: what its clients received after that is not known."""


class SafetyFailure(HarnessError):
    """The service made a delivery that is always wrong, and the run had to end then (``--fail-fast``): the verdict
    decides."""


def broken_import(error: ImportError) -> str:
    """The sentence for a package that is missing or broken: its name, and what to do."""
    name = error.name or "a package"
    return f"{name} cannot be imported ({error}): expected the packages of the harness, all of them; install it again"
