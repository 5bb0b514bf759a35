from harness.model.backplane import BACKPLANES, WRITE_PATHS, commit_seen_early, unfit
from harness.model.component import COMPONENT_KINDS


def test_every_backplane_needs_a_known_broker_or_none() -> None:
    """An environment can start every kind of broker that a backplane needs."""
    assert len(BACKPLANES.names) > 1
    for backplane in BACKPLANES:
        kind = backplane.broker and COMPONENT_KINDS.get(backplane.broker)
        assert kind is None or kind == "" or kind.starters


def test_the_defaults_are_those_of_the_design() -> None:
    assert BACKPLANES.default.name == "redis"
    assert WRITE_PATHS.default.name == "db-first"
    assert WRITE_PATHS.default.commits_first


def test_a_write_path_that_numbers_in_the_broker_names_its_backplanes() -> None:
    """Other backplanes are refused, and the message names those that fit."""
    broker_first = WRITE_PATHS.get("broker-first")
    assert not broker_first.commits_first
    assert unfit(broker_first, BACKPLANES.get("redis")) == ""
    assert "expected --backplane redis" in unfit(broker_first, BACKPLANES.get("memory"))
    assert all(unfit(WRITE_PATHS.default, each) == "" for each in BACKPLANES)


def test_a_backplane_that_stays_in_one_server_says_so() -> None:
    """Of the backplanes without a broker, only memory is limited to one server."""
    assert {each.name for each in BACKPLANES if each.broker is None and each.servers_max == 1} == {"memory"}


def test_what_postgresql_shows_itself_may_be_seen_before_the_commit_is_confirmed() -> None:
    """With polling this is always possible. With a backplane that publishes after the answer to COMMIT it is not."""
    assert commit_seen_early("postgres-poll", ())
    assert not commit_seen_early("redis", ())
