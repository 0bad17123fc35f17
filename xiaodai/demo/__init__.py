"""The demo: three invented lenders live through half a year, only through the public API.

Read `stories.py` first; `office.py` shows what people do, `client.py` how a front end talks to Xiaodai.
"""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import httpx

from xiaodai.cli.output import Problem
from xiaodai.demo import operations
from xiaodai.demo.client import Person, Refused, Server
from xiaodai.demo.closing import figures, last_words, summary
from xiaodai.demo.founding import found, meet_again
from xiaodai.demo.habits import ordinary_stories
from xiaodai.demo.lenders import LAST_DAY, LENDERS, PASSWORD, LenderPlan
from xiaodai.demo.live import task_arrives, watch_alerts
from xiaodai.demo.office import Office
from xiaodai.demo.screen import Screen
from xiaodai.demo.stories import stories_of
from xiaodai.demo.work_lists import work_lists


def run(url: str, *, operator: tuple[str, str], full: bool = False, as_json: bool = False) -> None:
    """Tells the story on the server at `url` and says where to look; what was told before is not told again.

    `operator`: user name and password of an operator of the platform. `full`: two years and about 600 loans.
    Raises Problem when something in it went wrong.
    """
    try:
        asyncio.run(_tell(url, operator, full, as_json))
    except* Refused as refused:
        raise Problem(f"The demo met a refusal it did not expect: {refused.exceptions[0]}") from refused
    except* httpx.HTTPError as broken:
        raise Problem(f"The server at {url} does not answer: {broken.exceptions[0]!r}") from broken
    except* Problem as problem:
        raise problem.exceptions[0] from None


async def _tell(url: str, operator: tuple[str, str], full: bool, as_json: bool) -> None:
    async with Server(url) as server:
        with Screen(as_json) as screen:
            platform = await server.sign_in(None, *operator)
            offices = await _offices(platform, screen, full)
            async with asyncio.TaskGroup() as group:
                for office, known in offices:
                    group.create_task(meet_again(office) if known else _live(office, platform, full))
            first = offices[0][0]
            await task_arrives(first)
            lines = [await figures(office) for office, _ in offices]
        screen.finish(summary(url, lines), last_words(url, lines))


async def _offices(platform: Person, screen: Screen, full: bool) -> list[tuple[Office, bool]]:
    """The three lenders, each with whether its story was told before."""
    taken = {tenant["code"] for tenant in (await platform.ask(operations.TENANTS))["tenants"]["nodes"]}
    offices = []
    for plan in LENDERS:
        code = await _code(plan, taken, platform.server)
        opened = plan.opened_in_full if full else plan.opened
        screen.lender(code, plan.name, (LAST_DAY - opened).days)
        offices.append((Office(plan, code, platform.server, screen, opened), code in taken))
        if code in taken:
            screen.tell(f"{plan.name} has lived through its story before", lender=code, on=LAST_DAY)
    return offices


async def _code(plan: LenderPlan, taken: set[str], server: Server) -> str:
    """The first code of this lender whose story was told to the end, or that is free.

    A lender whose telling was interrupted is left as it is, and so is one that is somebody else's.
    """
    code, number = plan.code, 1
    while code in taken and not await _is_told(code, server):
        number += 1
        code = f"{plan.code}_{number}"
    return code


async def _is_told(code: str, server: Server) -> bool:
    try:
        admin = await server.sign_in(code, "admin", PASSWORD)
    except Refused:
        return False
    viewer = (await admin.ask(operations.VIEWER))["viewer"]
    return date.fromisoformat(viewer["businessDate"]) >= LAST_DAY


async def _live(office: Office, platform: Person, full: bool) -> None:
    await found(office, platform)
    watching = asyncio.create_task(watch_alerts(office))
    stories: list[Any] = [*stories_of(office), *ordinary_stories(office, LAST_DAY, full), *work_lists(office, LAST_DAY)]
    try:
        await office.calendar.live(stories, until=LAST_DAY)
    finally:
        watching.cancel()
