"""The names of links, and the links of each backplane."""

from harness.model.backplane import BACKPLANES
from harness.model.fault import FaultKind
from harness.model.link import ends, full_mesh, link_name, star


def test_a_name_has_the_end_that_connects_first() -> None:
    """Of two servers the one with the higher name connects. Names are compared as text: server-10 is below server-2
    (docs/backplanes.md)."""
    assert star(2, "database") == ("server-1_database", "server-2_database")
    assert full_mesh(3) == ("server-2_server-1", "server-3_server-1", "server-3_server-2")
    assert "server-2_server-10" in full_mesh(10)
    assert len(full_mesh(10)) == 45
    assert full_mesh(1) == ()


def test_a_name_is_read_as_its_ends() -> None:
    assert ends(link_name("server-2", "database")) == ("server-2", "database")
    assert ends("broker") == ("broker", "")


def test_only_a_backplane_that_says_how_has_links_to_break() -> None:
    """There is one listening connection for each server, one link for each pair, or no link."""
    assert BACKPLANES.get("postgres-notify").link_names(2) == ("server-1_database", "server-2_database")
    assert BACKPLANES.get("mesh").link_names(2) == ("server-2_server-1",)
    assert BACKPLANES.get("mesh").link_names(1) == BACKPLANES.get("redis").link_names(4) == ()


def test_each_fault_of_a_link_is_made_in_one_way() -> None:
    """A fault is injected by a relay or by the database. Sessions have a name, and a relay to the database has address
    settings."""
    for backplane in BACKPLANES:
        if (link := backplane.breakable) is None:
            continue
        assert not set(link.relayed) & set(link.sessions)
        assert set(link.faults) == {*link.relayed, *link.sessions}
        assert FaultKind.PARTITION not in link.faults
        assert bool(link.sessions) == ("{server}" in link.session_name)
        assert backplane.links_servers or len(link.address_settings) == 2
