"""The demo: three invented lenders live through half a year, only through the public API.

Read `stories.py` first; `office.py` shows what people do, `client.py` how a front end talks to Xiaodai.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import httpx
from websockets.exceptions import WebSocketException

from xiaodai.cli.output import Problem
from xiaodai.demo import operations
from xiaodai.demo.calendar import Story
from xiaodai.demo.client import Person, Refused, Server
from xiaodai.demo.closing import figures, last_words, summary
from xiaodai.demo.entrusted import entrusted_stories
from xiaodai.demo.founding import found, meet_again
from xiaodai.demo.habits import ordinary_stories
from xiaodai.demo.lenders import LAST_DAY, LENDERS, PASSWORD, LenderPlan
from xiaodai.demo.live import task_arrives, watch_alerts
from xiaodai.demo.office import Office
from xiaodai.demo.screen import Screen
from xiaodai.demo.stories import stories_of
from xiaodai.demo.stories_of_change import stories_of_change
from xiaodai.demo.work_lists import work_lists


def run(
    url: str,
    *,
    operator: tuple[str, str],
    full: bool = False,
    as_json: bool = False,
    plans: Sequence[LenderPlan] = LENDERS,
    until: date = LAST_DAY,
) -> None:
    """Tells the story on the server at `url` and says where to look; what was told before is not told again.

    `operator`: user name and password of an operator of the platform. `full`: two years and about 600 loans.
    `until`: the business day that is open in the end. Raises Problem when something in it went wrong.
    """
    try:
        asyncio.run(Telling(plans, until, full).on(url, operator, as_json))
    except ExceptionGroup as several:  # lenders live side by side; the first thing that went wrong is enough
        raise _as_problem(several.exceptions[0]) from several
    except (Refused, httpx.HTTPError, WebSocketException) as failure:
        raise _as_problem(failure) from failure


def _as_problem(failure: Exception) -> Exception:
    """One sentence for what may happen on the way; what should not happen stays as it is."""
    if isinstance(failure, Refused):
        return Problem(f"The demo met a refusal that it did not expect: {failure}.")
    if isinstance(failure, (httpx.HTTPError, WebSocketException)):
        return Problem(f"The server does not answer any more ({failure!r}): see the lines above.")
    return failure


@dataclass(frozen=True)
class Telling:
    """Which lenders live until when."""

    plans: Sequence[LenderPlan]
    until: date
    full: bool

    async def on(self, url: str, operator: tuple[str, str], as_json: bool) -> None:
        """All lenders at the same time, then a live scene and the last words."""
        async with Server(url) as server:
            with Screen(as_json) as screen:
                platform = await server.sign_in(None, *operator)
                offices = await self._offices(platform, screen)
                async with asyncio.TaskGroup() as group:
                    for office, known in offices:
                        group.create_task(meet_again(office) if known else self._live(office, platform))
                await task_arrives(offices[0][0])
                lines = [await figures(office) for office, _ in offices]
            screen.finish(summary(url, lines), last_words(url, lines))

    async def _offices(self, platform: Person, screen: Screen) -> list[tuple[Office, bool]]:
        """The lenders, each with whether its story was told before."""
        taken = {tenant["code"] for tenant in (await platform.ask(operations.TENANTS))["tenants"]["nodes"]}
        offices = []
        for plan in self.plans:
            code = await self._code(plan, taken, platform.server)
            size = plan.size(self.full)
            screen.lender(code, plan.name, (self.until - size.opened).days)
            offices.append((Office(plan, size, code, platform.server, screen), code in taken))
        return offices

    async def _code(self, plan: LenderPlan, taken: set[str], server: Server) -> str:
        """The first code of this lender whose story was told to the end, or that is free.

        A lender whose telling was interrupted is left as it is, and so is one that is somebody else's.
        """
        code, number = plan.code, 1
        while code in taken and not await self._is_told(code, server):
            number += 1
            code = f"{plan.code}_{number}"
        return code

    async def _is_told(self, code: str, server: Server) -> bool:
        try:
            admin = await server.sign_in(code, "admin", PASSWORD)
        except Refused:
            return False
        viewer = (await admin.ask(operations.VIEWER))["viewer"]
        return date.fromisoformat(viewer["businessDate"]) >= self.until

    async def _live(self, office: Office, platform: Person) -> None:
        await found(office, platform)
        watching = asyncio.create_task(watch_alerts(office))
        stories: list[Story] = [
            *stories_of(office),
            *stories_of_change(office, full=self.full),
            *entrusted_stories(office),
            *ordinary_stories(office, self.until),
            *work_lists(office, self.until),
        ]
        try:
            await office.calendar.live(stories, until=self.until)
            if watching.done():
                watching.result()  # it should go on until the end: say why it did not
        finally:
            watching.cancel()
