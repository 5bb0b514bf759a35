"""Errors that a person reads. Each says what was expected, what was found and what to do, in one message."""


class HarnessError(Exception):
    """The root: shown as its message, without a traceback."""


class UsageError(HarnessError):
    """The request cannot be carried out as given. ``objections`` lists every reason, not only the first."""

    def __init__(self, *objections: str) -> None:
        super().__init__("\n".join(objections))
        self.objections = objections


class EnvironmentFailure(HarnessError):
    """The cluster, the machine or the disk did not do its part."""


class NeverReady(EnvironmentFailure):
    """A part refuses for a reason that no waiting heals: a password, a missing right, TLS."""


class WorkerLost(HarnessError):
    """A process of the load generator ended during the run: it is not known what its clients received after that."""


class SafetyFailure(HarnessError):
    """The service made a delivery that is certainly wrong, and --fail-fast ends the run there: the verdict decides."""


def broken_import(error: ImportError) -> str:
    """The sentence for a package that is missing or broken here: which one, and what to do."""
    name = error.name or "a package"
    return f"{name} cannot be imported ({error}): expected the packages of the harness, all of them; install it again"
