"""The calendar of a lender's demo: stories are plain coroutines that wait for a day; days pass only when all of them wait.

One story moves at a time, in an order that never changes, so that every telling gives the same numbers.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import date
from itertools import count
from typing import Any

Story = Coroutine[Any, Any, None]


class Calendar:
    """`turn_to(day)` closes the days before `day`; it is called only when everybody waits for a later one."""

    def __init__(self, today: date, turn_to: Callable[[date], Awaitable[None]]) -> None:
        self.today = today
        self._turn_to = turn_to
        self._waiting: list[tuple[date, int, asyncio.Future[None]]] = []
        self._order = count()
        self._at_rest = asyncio.Event()

    async def on(self, day: date) -> None:
        """Goes on when `day` is the business day; at once if it is here or past."""
        if day <= self.today:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (day, next(self._order), turn))
        self._at_rest.set()
        await turn

    async def live(self, stories: Iterable[Story], until: date) -> None:
        """Lets the stories happen up to `until`, which is the open day afterwards. What would come later does not happen."""
        running: list[asyncio.Task[None]] = []
        try:
            for story in stories:
                running.append(asyncio.create_task(story))
                await self._until_rest(running)
            while self._waiting and self._waiting[0][0] <= until:
                day, _, turn = heapq.heappop(self._waiting)
                await self._pass_to(day)
                turn.set_result(None)
                await self._until_rest(running)
            await self._pass_to(until)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _pass_to(self, day: date) -> None:
        if day > self.today:
            await self._turn_to(day)
            self.today = day

    async def _until_rest(self, running: list[asyncio.Task[None]]) -> None:
        """Waits until the story that moves waits for a day, or is over. Raises what went wrong in one."""
        rest = asyncio.create_task(self._at_rest.wait())
        try:
            await asyncio.wait([rest, *running], return_when=asyncio.FIRST_COMPLETED)
        finally:
            rest.cancel()
        self._at_rest.clear()
        for task in [task for task in running if task.done()]:
            running.remove(task)
            task.result()
