from reference_server.gateway.recovery_work import RecoveryWork


def test_each_kind_of_work_wakes_its_own_task() -> None:
    """The names are collected until recovery takes them, each name once."""
    work = RecoveryWork()
    work.check(["a", "b"])
    work.check(["a"])
    assert (work.unchecked, work.check_wanted.is_set(), work.fill_wanted.is_set()) == ({"a", "b"}, True, False)
    work.fill(["c"])
    assert (work.behind, work.fill_wanted.is_set(), work.follow_wanted.is_set()) == ({"c"}, True, False)
    work.follow()
    assert work.follow_wanted.is_set()
