from harness.model.sweep_plan import Curve, Member, SweepPlan
from tests.harness.plans import a_plan


def a_member(order: int, curve: Curve) -> Member:
    return Member(order=order, curve=curve, repetition=1, plan=a_plan(servers=2), predicted_s=10.0)


def test_a_member_is_named_after_its_place_in_the_sweep() -> None:
    """The name is that of its folder: the order of running, then curve, servers and repetition."""
    member = a_member(3, Curve.WEAK)
    assert member.name == "03-weak-2x1"
    assert member.servers == 2


def test_a_curve_holds_its_own_members() -> None:
    members = (a_member(1, Curve.WEAK), a_member(2, Curve.CONSTANT), a_member(3, Curve.WEAK))
    sweep = SweepPlan(
        members=members,
        widest=a_plan(),
        server_counts=(2,),
        clients_per_server=2,
        weak_rate_per_server_hz=5.0,
        repeat=1,
        predicted_s=30.0,
    )
    assert sweep.of(Curve.WEAK) == (members[0], members[2])
    assert sweep.of(Curve.CONSTANT) == (members[1],)
