"""The system as an actor on the command line: what a job would do, done now and in sight."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from domain.kernel.context import SYSTEM, Context
from domain.kernel.ports import Ports
from tenancy.catalog import Catalog
from tenancy.current import Door
from tenancy.lender import ACTIVE, Lender
from tenancy.wake import Bell
from xiaodai.cli.database import up_to_date
from xiaodai.cli.output import Problem
from xiaodai.jobs.wakeups import Wakeups
from xiaodai.keys import LenderKeys
from xiaodai.settings import Settings

Found = TypeVar("Found")


def for_lenders(code: str | None, work: Callable[[Context], Awaitable[Found]]) -> dict[str, Found]:
    """`work` for the lender of this code, or for all active ones, one after another. Raises Problem for an unknown code."""

    async def go(settings: Settings) -> dict[str, Found]:
        catalog = Catalog(str(settings.database_url))
        bell = Bell(str(settings.database_url))
        door = Door(str(settings.database_url), settings.installation, settings.master_secret)
        wakeups = Wakeups(catalog, bell)
        ports = Ports(door=door, keys=LenderKeys(settings.personal_data_key), after_commit=wakeups)
        await bell.start()
        try:
            lenders = [await _one(catalog, code)] if code else await _active(catalog)
            return {lender.code: await work(Context(lender=lender, actor=SYSTEM, ports=ports)) for lender in lenders}
        finally:
            await bell.close()
            await door.close()
            await catalog.close()

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
