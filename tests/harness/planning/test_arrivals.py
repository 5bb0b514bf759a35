import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.model.plan import Plan
from harness.planning.arrivals import MEASURED, PROBE, WARM_UP, schedule
from harness.planning.placement import audiences, client_channels, client_servers, client_workers
from tests.harness.plans import a_plan

plans = st.builds(
    a_plan,
    servers=st.integers(1, 16),
    clients=st.integers(16, 300),
    audience=st.integers(1, 300),
    rate_hz=st.sampled_from([0.5, 1.0, 7.0, 100.0, 333.3]),
    duration_s=st.sampled_from([1.0, 2.5]),
    warm_up_s=st.sampled_from([0.0, 0.5]),
    workers=st.integers(1, 4),
    seed=st.integers(0, 2**32),
)


@given(plans)
@settings(max_examples=50, deadline=None)
def test_a_schedule_has_one_probe_per_channel_then_warm_up_then_the_measured_messages(plan: Plan) -> None:
    """The phases are in this order. Rate and durations give the number of messages in each."""
    made = schedule(plan)
    assert (made.phase[: plan.channels] == PROBE).all()
    assert np.count_nonzero(made.phase == PROBE) == plan.channels
    assert np.count_nonzero(made.phase == WARM_UP) == round(plan.rate_hz * plan.warm_up_s)
    assert np.count_nonzero(made.phase == MEASURED) == max(1, round(plan.rate_hz * plan.duration_s))
    assert (np.diff(made.phase.astype(int)) >= 0).all()


@given(plans)
@settings(max_examples=50, deadline=None)
def test_intended_times_are_evenly_spaced_at_the_rate(plan: Plan) -> None:
    """The k-th timed message is due k / rate after the start, to the nanosecond."""
    offsets = schedule(plan).offset_ns[plan.channels :]
    assert np.abs(offsets - np.arange(len(offsets)) * 1e9 / plan.rate_hz).max() <= 1


@given(plans)
@settings(max_examples=50, deadline=None)
def test_channels_take_turns(plan: Plan) -> None:
    """No channel gets more than one message more than another."""
    counts = np.bincount(schedule(plan).channel, minlength=plan.channels)
    assert counts.max() - counts.min() <= 1


def test_the_seed_decides_the_schedule() -> None:
    """The same plan gives the same schedule, and another seed gives another schedule."""
    plan = a_plan(seed=1)
    one, same, other = schedule(plan), schedule(plan), schedule(dataclasses.replace(plan, seed=2))
    assert (one.channel == same.channel).all()
    assert (one.server == same.server).all()
    assert (one.server != other.server).any()


@given(plans)
@settings(max_examples=50, deadline=None)
def test_clients_are_spread_evenly(plan: Plan) -> None:
    """The numbers of clients of two servers differ by one at most. Every channel has at least the audience's number of
    clients."""
    on_server = np.bincount(client_servers(plan), minlength=plan.servers)
    assert on_server.max() - on_server.min() <= 1
    assert len(client_channels(plan)) == plan.clients
    assert audiences(plan).sum() == plan.clients
    assert audiences(plan).min() >= min(plan.audience, plan.clients)
    assert client_workers(plan).max() < plan.workers
