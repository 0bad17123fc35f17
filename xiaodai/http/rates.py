"""频率 · How often one person, one lender and one address may ask, sign in and show unknown tokens: over all processes together.

A person who asks now and then costs the database nothing: a process counts by itself until it has seen a share (an
eighth) of the limit within one second, and only then draws further shares from the counter in the catalog. Over P
processes a limit of 200 a second therefore means: never more than 200 in any second on one process; 200 + 25 × (P - 1) in
a second that all begin together, and never more than twice those shares when it falls across the seconds of the others.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from resolvers.kernel.operation import Caller
from tenancy.shared_limits import Granted
from xiaodai.observability import REFUSED_REQUESTS

log = structlog.get_logger(__name__)

SIGN_IN = re.compile(r"\bsignIn\b")
MOST_REMEMBERED = 20_000
SHARES = 8


class TooMany(Exception):
    """Over the limit; `retry_after` in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


class Counters(Protocol):
    """What all processes count together (`tenancy.shared_limits`)."""

    async def draw(
        self, name: str, count: int, *, most: int, seconds: float, since: float | None = None
    ) -> Granted: ...


@dataclass(slots=True)
class Recent:
    """One name in one process. `seen`: the requests of the last second, oldest first.

    `begun` is when the second began in which `used` of the `allowed` requests were made; it is `window` in the catalog
    once something was drawn, and `drawn_out` when nothing is left there.
    """

    begun: float
    allowed: int
    used: int = 0
    window: float | None = None
    drawn_out: bool = False
    seen: deque[float] = field(default_factory=deque)
    drawing: asyncio.Lock = field(default_factory=asyncio.Lock)


class PerSecond:
    """At most `most` requests a second for each name, over all processes (the module says how nearly)."""

    def __init__(self, counters: Counters, kind: str, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._counters, self._kind, self._most, self._clock = counters, kind, most, clock
        self._share = max(1, most // SHARES)
        self._recent: dict[str, Recent] = {}

    async def take(self, name: str) -> None:
        """Raises TooMany."""
        recent = self._of(name)
        if self._is_used_up(recent):
            async with recent.drawing:  # one draw at a time: the others find what it brought
                if self._is_used_up(recent) and not recent.drawn_out:
                    await self._draw(name, recent)
        if self._is_used_up(recent) or len(recent.seen) >= self._most:
            raise TooMany(1)
        recent.seen.append(self._clock())
        recent.used += 1

    def give_back(self, name: str) -> None:
        """One that was taken a moment ago did not count after all; what was drawn for it stays drawn."""
        recent = self._recent.get(name)
        if recent is not None and recent.seen and recent.used:
            recent.seen.pop()
            recent.used -= 1

    def _is_used_up(self, recent: Recent) -> bool:
        now = self._clock()
        while recent.seen and recent.seen[0] <= now - 1:
            recent.seen.popleft()
        if now >= recent.begun + 1:
            recent.begun, recent.allowed, recent.used = now, self._share, 0
            recent.window, recent.drawn_out = None, False
        return recent.used >= recent.allowed

    async def _draw(self, name: str, recent: Recent) -> None:
        """A further share of the second that all processes are in. Who joins one that runs has a share of its own in it."""
        found = await self._counters.draw(
            counted_as(self._kind, name),
            self._share,
            most=self._most - self._share,
            seconds=1,
            since=recent.begun,
        )
        recent.drawn_out = found.count < self._share
        if found.window == recent.window:
            recent.allowed += found.count
        else:
            recent.window, recent.begun = found.window, found.begun
            recent.allowed = self._share + found.count
            recent.used = sum(moment >= recent.begun for moment in recent.seen)

    def _of(self, name: str) -> Recent:
        recent = self._recent.get(name)
        if recent is None:
            now = self._clock()
            if len(self._recent) >= MOST_REMEMBERED:
                self._recent = {other: kept for other, kept in self._recent.items() if kept.begun > now - 1}
            recent = self._recent[name] = Recent(now, self._share)
        return recent


def counted_as(kind: str, whose: str) -> str:
    """The name in the catalog, cut to what fits there: an address that a proxy reports may be anything."""
    return f"{kind}:{whose}"[:100]


class Rates:
    """Requests of one person and one lender (before signing in: of one address), sign-ins and unknown tokens of one address."""

    def __init__(
        self,
        counters: Counters,
        requests_per_second: int = 200,
        lender_requests_per_second: int = 2_000,
        sign_ins_per_minute: int = 60,
        unknown_tokens_per_second: int = 20,
    ) -> None:
        self._counters = Forgiving(counters)
        self._people = PerSecond(self._counters, "requests", requests_per_second)
        self._lenders = PerSecond(self._counters, "requests of a lender", lender_requests_per_second)
        self._unknown_tokens = PerSecond(self._counters, "unknown tokens", unknown_tokens_per_second)
        self._sign_ins_per_minute = sign_ins_per_minute

    async def request(self, caller: Caller | None, address: str) -> None:
        """Counts one request of this caller, or of this address where nobody is signed in. Raises TooMany."""
        try:
            await self._people.take(str(caller.actor.id) if caller else address)
            if caller and caller.lender:
                await self._lenders.take(str(caller.lender.id))
        except TooMany:
            REFUSED_REQUESTS.labels("requests").inc()
            raise

    async def unknown_token(self, address: str) -> None:
        """Counts a token that this address shows and that may be nobody's, before it is looked up. Raises TooMany."""
        try:
            await self._unknown_tokens.take(address)
        except TooMany:
            REFUSED_REQUESTS.labels("unknown tokens").inc()
            raise

    def known_after_all(self, address: str) -> None:
        """The token counted by `unknown_token` is somebody's."""
        self._unknown_tokens.give_back(address)

    async def sign_in(self, address: str, document: str) -> None:
        """Counts every `signIn` of a document, whoever sends it: thirty under aliases are thirty tries. Raises TooMany."""
        tries = sum(1 for _ in SIGN_IN.finditer(document))
        if not tries:
            return
        most = self._sign_ins_per_minute
        found = await self._counters.draw(counted_as("sign-ins", address), tries, most=most, seconds=60)
        if found.count < tries:
            REFUSED_REQUESTS.labels("sign-ins").inc()
            raise TooMany(max(1, math.ceil(found.begun + 60 - time.monotonic())))


class Forgiving:
    """Counters that grant what they cannot count: a catalog out of reach must not turn people away."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    async def draw(self, name: str, count: int, *, most: int, seconds: float, since: float | None = None) -> Granted:
        try:
            return await self._counters.draw(name, count, most=most, seconds=seconds, since=since)
        except Exception as error:
            log.warning("a limit could not be counted", error=type(error).__name__)
            return Granted(count, -1, since or time.monotonic())
