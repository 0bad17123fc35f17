"""The system as an actor on the command line: what a job would do, done now and in sight."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.kernel.context import SYSTEM, Context
from tenancy.catalog import Catalog
from tenancy.lender import ACTIVE, Lender
from xiaodai.cli.database import up_to_date
from xiaodai.cli.output import Problem
from xiaodai.ports import services
from xiaodai.settings import Settings

Found = TypeVar("Found")


def for_lenders(code: str | None, work: Callable[[Context], Awaitable[Found]]) -> dict[str, Found]:
    """`work` for the lender of this code, or for all active ones in turn. Raises Problem for an unknown code."""

    async def go(settings: Settings) -> dict[str, Found]:
        async with services(settings) as opened:
            await opened.bell.start()
            lenders = [await _one(opened.catalog, code)] if code else await _active(opened.catalog)
            contexts = (Context(lender=lender, actor=SYSTEM, ports=opened.ports) for lender in lenders)
            return {ctx.lender.code: await work(ctx) for ctx in contexts}

    with up_to_date() as settings:
        return asyncio.run(go(settings))


async def _one(catalog: Catalog, code: str) -> Lender:
    lender = await catalog.find(code)
    if lender is None or lender.status != ACTIVE:
        raise Problem(f"There is no active lender with the code {code}: see python3 xd.py tenant list.")
    return lender


async def _active(catalog: Catalog) -> list[Lender]:
    found: list[Lender] = []
    while page := await catalog.page(after=found[-1].code if found else None):
        found += page
    return [lender for lender in found if lender.status == ACTIVE]
