"""What the other tests stand on: a lender that was had before is as on its first day, or is not had again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select, text

from domain.kernel.ports import Ports
from domain.tables import metadata
from tenancy.provision import Blueprint
from tests.support.actors import LenderAtWork, a_lender
from tests.support.lenders import Platform
from tests.support.loans import lending_at
from tests.support.recycling import Recycling


@pytest.fixture
def own_place(place: Platform) -> Platform:
    """The same installation, with nobody else's lenders to be had again."""
    assert place.recycling is not None
    return replace(place, recycling=Recycling(place.recycling.administrator))


def a_test(place: Platform) -> Iterator[None]:
    """A test has begun; it is over with the next step of the iterator."""
    assert place.recycling is not None
    running = place.recycling.during_a_test()
    next(running)
    return running


async def everything(lender: LenderAtWork) -> dict[str, list[str]]:
    """All rows of all tables."""
    async with lender.system.reading() as ctx:
        return {
            table.name: sorted(map(repr, (await ctx.connection.execute(select(table))).all()))
            for table in metadata().sorted_tables
        }


async def test_it_is_as_on_its_first_day(own_place: Any, ports: Ports, blueprint: Blueprint) -> None:
    running = a_test(own_place)
    lender = await a_lender(own_place, ports, blueprint)
    fresh = await everything(lender)
    lending = await lending_at(lender)
    await lending.receive(await lending.pay_out(), "1.00")
    await lending.close(date(2025, 1, 31))
    assert await everything(lender) != fresh
    next(running, None)
    a_test(own_place)
    again = await a_lender(own_place, ports, blueprint)
    assert again.lender == lender.lender
    assert await everything(again) == fresh


async def test_with_other_tables_it_is_not_had_again(own_place: Any, ports: Ports, blueprint: Blueprint) -> None:
    running = a_test(own_place)
    lender = await a_lender(own_place, ports, blueprint)
    async with own_place.owner.begin() as connection:
        await connection.execute(text(f"alter table {lender.lender.schema}.employees add column nickname text"))
    next(running, None)
    a_test(own_place)
    assert (await a_lender(own_place, ports, blueprint)).lender.id != lender.lender.id
