"""A line of migrations that grows: the small lender's tables first, then a second step a test writes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from migrations.line import Line
from tests.support.lenders import Platform, platform_of_my_own
from tests.support.small_tables import small_line
from xiaodai.embedded_postgres import Addresses


@pytest.fixture
async def place(postgres: Addresses) -> AsyncIterator[Platform]:
    async with platform_of_my_own(postgres) as opened:
        yield opened


@pytest.fixture
def old_line(tmp_path: Path) -> Line:
    return small_line(tmp_path / "released")
