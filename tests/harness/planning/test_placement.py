import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.model.plan import Plan
from harness.planning.placement import audiences, channel_count, client_channels, client_servers, client_workers
from tests.harness.plans import a_plan


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    servers = draw(st.integers(1, 16))
    clients = draw(st.integers(servers, 2_000))
    audience = draw(st.integers(1, clients))
    return a_plan(
        servers=servers,
        clients=clients,
        audience=audience,
        workers=draw(st.integers(1, 8)),
        placement=draw(st.sampled_from(("spread", "local"))),
    )


@given(plans())
def test_every_channel_has_its_audience(plan: Plan) -> None:
    """Each channel has exactly the planned audience. Only the last one may have more."""
    counts = audiences(plan)
    assert len(counts) == plan.channels == channel_count(plan.clients, plan.audience)
    assert (counts[:-1] == plan.audience).all()
    assert counts[-1] >= plan.audience
    assert counts.sum() == plan.clients


@given(plans())
def test_servers_and_workers_share_the_clients_evenly(plan: Plan) -> None:
    """The numbers of clients of two servers differ by one at most. Every client has a worker that exists."""
    on_server = np.bincount(client_servers(plan), minlength=plan.servers)
    assert on_server.max() - on_server.min() <= 1
    workers = client_workers(plan)
    assert workers.min() >= 0
    assert workers.max() < plan.workers


@given(plans())
def test_a_channel_spans_as_many_servers_as_it_can(plan: Plan) -> None:
    """A message must cross the backplane to reach its audience."""
    plan = dataclasses.replace(plan, placement="spread")
    servers, channels = client_servers(plan), client_channels(plan)
    for channel in range(min(plan.channels, 5)):
        members = servers[channels == channel]
        assert len(np.unique(members)) == min(plan.servers, len(members))


@given(plans())
def test_local_keeps_a_channel_on_as_few_servers_as_balance_allows(plan: Plan) -> None:
    """An audience that fits on one server is on two at most. A larger audience adds at most one server to those that it
    needs."""
    plan = dataclasses.replace(plan, placement="local")
    servers, channels = client_servers(plan), client_channels(plan)
    for channel in range(min(plan.channels, 5)):
        members = servers[channels == channel]
        assert len(np.unique(members)) <= -(-len(members) * plan.servers // plan.clients) + 1
