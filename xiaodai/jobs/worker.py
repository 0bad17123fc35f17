"""工作进程 · The worker: provisions lenders that were asked for and carries out the lenders' jobs, fair between them.

What wakes it is a bell or a second gone by; what it relies on is only the tables. Run by `serve` as `python -m
xiaodai.jobs.worker` with the owner's login, which no process that answers requests ever has.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.configuration import document
from domain.kernel.clock import machine_now
from domain.kernel.context import SYSTEM, Context
from domain.kernel.job import HANDLERS, Handler
from domain.kernel.ports import Ports
from domain.tables import metadata
from migrations.line import TENANT
from tenancy.address import owner_engine
from tenancy.catalog import Catalog
from tenancy.current import LenderNotOpen
from tenancy.lender import ACTIVE, Lender
from tenancy.provision import Blueprint, carry_out_next
from tenancy.wake import JOBS, Bell
from xiaodai.fill import fill
from xiaodai.jobs.queue import LEASE, next_due, run_due
from xiaodai.observability import configure_logging
from xiaodai.ports import services
from xiaodai.settings import Settings, get_settings

log = structlog.get_logger()

LOOK_SECONDS = 1.0
SWEEP_SECONDS = 60.0
CLEAN_FIRST_SECONDS, CLEAN_SECONDS = 600.0, 86_400.0  # not at once: a worker that is restarted often starts quickly
STATUS_SECONDS = 1.0
LENDERS_AT_ONCE = 4
JOBS_IN_A_TURN = 20
GRACE_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Workshop:
    """All a worker needs, handed in."""

    owner: AsyncEngine
    catalog: Catalog
    bell: Bell
    ports: Ports
    blueprint: Blueprint
    handlers: Mapping[str, Handler]
    master_secret: bytes


class Worker:
    """One process may hold one; any number may run against the same database."""

    def __init__(self, shop: Workshop) -> None:
        self._shop = shop
        self._asked, self._hinted, self._stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._turns: dict[UUID, asyncio.Task[None]] = {}
        self._hinted_meanwhile: set[UUID] = set()
        shop.bell.listen(JOBS, lambda _: self._look())

    def stop(self) -> None:
        """Takes nothing new; what runs may end within the grace, then it is handed back."""
        self._stopping.set()

    async def run(self) -> None:
        """Until `stop`. A database that is away is waited for."""
        loops = [
            asyncio.create_task(loop()) for loop in (self._provision, self._follow_hints, self._sweep, self._clean)
        ]
        await self._stopping.wait()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        if self._turns:
            _, late = await asyncio.wait(self._turns.values(), timeout=GRACE_SECONDS)
            for turn in late:
                turn.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _provision(self) -> None:
        shop = self._shop
        while True:
            try:
                request = await carry_out_next(shop.owner, shop.blueprint, master_secret=shop.master_secret)
            except Exception:
                log.exception("provisioning was interrupted and will be tried again")
                request = None
            if request is None:
                await _rung_or_later(self._asked)
            else:
                log.info("a provisioning request is carried out", request=str(request))

    async def _follow_hints(self) -> None:
        while True:
            try:
                free = LENDERS_AT_ONCE - len(self._turns)
                for lender in await self._shop.catalog.take_hints(free) if free > 0 else []:
                    await self._begin_turn(lender)
            except Exception:
                log.exception("job hints could not be read")
            await _rung_or_later(self._hinted)

    async def _sweep(self) -> None:
        """Finds what a lost hint left: every lender is asked for his next due job, and that is hinted anew."""
        while True:
            try:
                async for lender in self._lenders():
                    await self._hint_next(lender)
            except Exception:
                log.exception("the sweep was interrupted")
            await asyncio.sleep(SWEEP_SECONDS)

    async def _hint_next(self, lender: Lender) -> None:
        if lender.status != ACTIVE:
            return
        try:
            if due_at := await next_due(self._context(lender)):
                await self._shop.catalog.add_hint(lender.id, due_at)
        except Exception:
            log.exception("a lender could not be swept", lender=lender.code)  # the others must not wait for his repair

    async def _clean(self) -> None:
        """Once a day, files are removed that no row of a lender knows."""
        pause = CLEAN_FIRST_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = CLEAN_SECONDS
            try:
                async for lender in self._lenders():
                    await self._clean_one(lender)
            except Exception:
                log.exception("cleaning was interrupted")

    async def _clean_one(self, lender: Lender) -> None:
        if lender.status != ACTIVE:
            return
        try:
            if removed := await document.collect(self._context(lender)):
                log.info("files without a row are removed", lender=lender.code, removed=removed)
        except Exception:
            log.exception("a lender's files could not be cleaned", lender=lender.code)

    async def _lenders(self) -> AsyncIterator[Lender]:
        """Every lender, a page at a time."""
        after: str | None = None
        while lenders := await self._shop.catalog.page(after=after):
            after = lenders[-1].code
            for lender in lenders:
                yield lender

    async def _begin_turn(self, lender: Lender) -> None:
        if lender.status != ACTIVE:
            return  # resuming a lender hints him anew
        # Should this worker be killed, another looks at the lender when the leases are over.
        await self._shop.catalog.add_hint(lender.id, machine_now() + LEASE + timedelta(seconds=1))
        if lender.id in self._turns:
            self._hinted_meanwhile.add(lender.id)  # the turn may have looked for the last time already
        else:
            self._turns[lender.id] = asyncio.create_task(self._turn(lender))

    async def _turn(self, lender: Lender) -> None:
        """Some jobs of one lender, then it is the next one's turn. Ends when the lender is suspended meanwhile."""
        watch = asyncio.create_task(self._until_suspended(lender))
        work = asyncio.create_task(run_due(self._context(lender), self._shop.handlers, most=JOBS_IN_A_TURN))
        try:
            await asyncio.wait({watch, work}, return_when=asyncio.FIRST_COMPLETED)
            if work.done() and (due_at := work.result()):
                await self._shop.catalog.add_hint(lender.id, due_at)
        except LenderNotOpen:
            log.info("a lender's jobs stop", lender=lender.code)
        except Exception:
            log.exception("a lender's turn was interrupted", lender=lender.code)
        finally:
            watch.cancel()
            work.cancel()
            await asyncio.gather(watch, work, return_exceptions=True)
            del self._turns[lender.id]
            if lender.id in self._hinted_meanwhile:
                self._hinted_meanwhile.discard(lender.id)
                await self._shop.catalog.add_hint(lender.id, machine_now())
            self._look()

    async def _until_suspended(self, lender: Lender) -> None:
        while True:
            now = await self._shop.catalog.by_id(lender.id)
            if now is None or now.status != ACTIVE:
                return
            await asyncio.sleep(STATUS_SECONDS)

    def _context(self, lender: Lender) -> Context:
        return Context(lender=lender, actor=SYSTEM, ports=self._shop.ports)

    def _look(self) -> None:
        self._asked.set()
        self._hinted.set()


async def _rung_or_later(rung: asyncio.Event) -> None:
    """A ring missed costs a second, never a job."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LOOK_SECONDS):
            await rung.wait()
    rung.clear()


async def work(settings: Settings) -> None:
    """The worker of one installation until SIGTERM or SIGINT."""
    owner = owner_engine(str(settings.owner_database_url))
    blueprint = Blueprint(TENANT.text(None), TENANT.head, metadata(), fill)
    async with services(settings) as opened:
        shop = Workshop(owner, opened.catalog, opened.bell, opened.ports, blueprint, HANDLERS, settings.master_secret)
        worker = Worker(shop)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, worker.stop)
        try:
            await opened.bell.start()
            log.info("the worker is ready")
            await worker.run()
        finally:
            await owner.dispose()


def main() -> None:
    settings = get_settings()
    configure_logging(settings.log_level)
    asyncio.run(work(settings))


if __name__ == "__main__":
    main()
