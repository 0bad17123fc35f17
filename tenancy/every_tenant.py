"""逐户 · One piece of work over all lenders, with one report: dry run, start-at, stop when told, several at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tenancy.lender import Lender


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state` is DONE (with what was done as `said`), FAILED (with the reason) or NOT_STARTED."""

    lender: Lender
    state: str
    said: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def failed(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.state == "FAILED"]

    @property
    def ok(self) -> bool:
        return all(outcome.state == "DONE" for outcome in self.outcomes)


async def every_tenant(
    lenders: Sequence[Lender],
    work: Callable[[Lender], Awaitable[str]],
    *,
    parallel: int = 1,
    start_at: str | None = None,
    stop: asyncio.Event | None = None,
) -> Report:
    """`work` answers in one sentence what it did. A lender whose work fails is reported and the others go on.

    `start_at` is the code of the first lender to do. When `stop` is set, what runs ends and nothing more begins.
    """
    in_order = sorted(lenders, key=lambda lender: lender.code)  # not every database sorts "_" as `start_at` compares it
    waiting = [lender for lender in in_order if start_at is None or lender.code >= start_at]
    outcomes: dict[str, Outcome] = {lender.code: Outcome(lender, "NOT_STARTED") for lender in waiting}

    async def one_after_another() -> None:
        while waiting and not (stop and stop.is_set()):
            lender = waiting.pop(0)
            outcomes[lender.code] = await _attempt(lender, work)

    async with asyncio.TaskGroup() as group:
        for _ in range(max(1, parallel)):
            group.create_task(one_after_another())
    return Report(list(outcomes.values()))


async def _attempt(lender: Lender, work: Callable[[Lender], Awaitable[str]]) -> Outcome:
    begun = time.monotonic()
    try:
        state, said = "DONE", await work(lender)
    except Exception as error:
        state, said = "FAILED", f"{type(error).__name__}: {error}"
    return Outcome(lender, state, said, time.monotonic() - begun)
