from harness.recording import format as layout
from harness.report.text.glossary import FILES, WORDS


def test_every_file_of_a_recording_has_its_line() -> None:
    """The report explains every file in the folder."""
    named = {name for names, _ in FILES for name in names.split(", ")}
    constants = (layout.PLAN, layout.MACHINE, layout.CLOCKS, layout.EVENTS, layout.TELEMETRY, layout.SEAL)
    assert {*constants, layout.VERDICT, layout.SERIES} <= named
    assert {f"{layout.ARRAYS}/", f"{layout.LOGS}/", f"{layout.PLOTS}/"} <= named


def test_every_word_has_one_meaning() -> None:
    words = [word for word, _ in WORDS]
    assert len(words) == len(set(words)) > 10
    assert all(meaning.endswith(".") for _, meaning in WORDS)
