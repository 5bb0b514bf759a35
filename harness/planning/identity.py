"""Which message of the schedule a text belongs to, and whether it is unchanged."""

from harness.model.message import message_index, message_text
from harness.model.plan import Plan
from harness.recording.format import ALTERED, FOREIGN, SOUND


def identify(plan: Plan, messages: int, text: str) -> tuple[int, int]:
    """(message, flaw) of a text seen somewhere; ``messages`` is the length of the schedule. The message is -1 for a
    text that is not of this run; SOUND means that it is exactly what was posted, character by character."""
    message = message_index(plan.run_id, text)
    if not 0 <= message < messages:
        return -1, FOREIGN
    return message, SOUND if text == message_text(plan.run_id, message, plan.text_bytes) else ALTERED
