"""What every test may ask for. Builders and actors are in tests/support/."""

from collections.abc import Iterator

import pytest

from tests.support import database as databases
from xiaodai.embedded_postgres import Addresses

pytest_plugins = ["tests.support.actors", "tests.support.client"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Addresses]:
    """The test server: logins of administrator, owner and app."""
    with databases.server() as addresses:
        databases.drop_leftovers(addresses)
        yield addresses


@pytest.fixture(scope="session")
def empty_database(postgres: Addresses) -> Iterator[Addresses]:
    """An empty database for this test process, owned by `xiaodai_owner`."""
    with databases.new_database(postgres) as addresses:
        yield addresses
