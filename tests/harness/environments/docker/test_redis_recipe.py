"""The recipe of the Redis container."""

from harness.environments.docker.recipe import SECRETS
from harness.environments.docker.redis_recipe import redis_recipe
from harness.model.cluster import Topology


def test_the_password_is_in_a_file_only() -> None:
    """Every user of the machine can read a command line, and so can `docker inspect`."""
    topology = Topology(servers=1, backplane="redis", write_path="db-first", run_id="r")
    recipe = redis_recipe("broker", "s3cret", topology)
    assert recipe.command == ("redis-server", f"/{SECRETS}/redis.conf")
    settings = recipe.files[f"{SECRETS}/redis.conf"].splitlines()
    assert {'requirepass "s3cret"', f"port {recipe.port}", "appendonly no"} < set(settings)
