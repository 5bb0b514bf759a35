"""Labels and revisions."""

import pytest

from harness.history.revision import labels_of, revision_of
from harness.model.errors import UsageError


def test_labels_are_pairs() -> None:
    """The first '=' separates name and value. A text without it is refused, and the message shows the text."""
    assert labels_of(["branch=main", "note=a=b"]) == {"branch": "main", "note": "a=b"}
    with pytest.raises(UsageError, match="found 'x'"):
        labels_of(["x"])


def test_the_revision_comes_from_the_label_or_the_ci_system() -> None:
    """A label has priority over the CI system. Without both there is no revision."""
    assert revision_of({"revision": "a"}, {"GITHUB_SHA": "b"}) == "a"
    assert revision_of({}, {"GITHUB_SHA": "b", "CI_COMMIT_SHA": "c"}) == "b"
    assert revision_of({}, {"CI_COMMIT_SHA": "c"}) == "c"
    assert revision_of({}, {}) == ""


@pytest.mark.parametrize("label", ["a=\udcff", "a=b\nc", "\x1b=1"])
def test_a_label_is_text_that_can_be_shown(label: str) -> None:
    """Such a label was found only when the run was over, and the run's line of the history was lost."""
    with pytest.raises(UsageError, match="--label: expected printable characters"):
        labels_of([label])
