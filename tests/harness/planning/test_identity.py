import pytest

from harness.model.message import message_text
from harness.planning.identity import identify
from harness.recording.format import ALTERED, FOREIGN, SOUND
from tests.harness.plans import a_plan

PLAN = a_plan()
TEXT = message_text(PLAN.run_id, 3, PLAN.text_bytes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, (3, SOUND)),
        (TEXT[:-1], (3, ALTERED)),
        (TEXT + " ", (3, ALTERED)),
        (TEXT[:-1] + "~", (3, ALTERED)),
        (message_text(PLAN.run_id, 10, PLAN.text_bytes), (-1, FOREIGN)),
        (message_text("another", 3, PLAN.text_bytes), (-1, FOREIGN)),
        ("", (-1, FOREIGN)),
    ],
)
def test_a_text_is_sound_altered_or_foreign(text: str, expected: tuple[int, int]) -> None:
    """The schedule has ten messages, 0 to 9. Every character of a text must match."""
    assert identify(PLAN, 10, text) == expected
