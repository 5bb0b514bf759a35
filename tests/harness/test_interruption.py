import signal

import pytest

from harness.interruption import interrupting_signals


def test_three_signals_interrupt() -> None:
    assert set(interrupting_signals()) >= {signal.SIGTERM}
    assert set(interrupting_signals()) <= {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_ignored_signal_stays_ignored(number: signal.Signals) -> None:
    """nohup ignores SIGHUP, a shell ignores SIGINT for background jobs."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        assert number not in interrupting_signals()
    finally:
        signal.signal(number, before)
