"""门口 · Who is behind a token, looked up for an address only while it does not keep showing tokens that nobody has.

A token is looked up in the lender's own schema, over one of the few connections that the lender has. Whoever knows a
lender's code can make up as many tokens as they like, so unknown ones are counted by address and from the limit on
refused before they are looked up. A token that was good a while ago is looked up all the same: a colleague behind the
same address who sends nonsense keeps nobody from working.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from weakref import WeakValueDictionary

from resolvers.kernel.operation import Caller
from xiaodai.auth.sessions import hash_token, is_well_formed
from xiaodai.http.rates import Rates
from xiaodai.http.visitor import Sessions

FAMILIAR_SECONDS = 600.0
MOST_FAMILIAR = 20_000
AT_ONCE = 4
"""Lookups of tokens that were never seen, for one address: so many may be on their way when the limit is reached."""


class Entrance:
    """One for each process: HTTP, sockets and files come in here."""

    def __init__(self, sessions: Sessions, rates: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        self._sessions, self._rates, self._clock = sessions, rates, clock
        self._familiar: dict[bytes, float] = {}
        self._looking: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def caller(self, token: str | None, address: str) -> Caller | None:
        """The caller behind a token; None for no token and for one that nobody has. Raises TooMany (and then nothing
        was looked up)."""
        if token is None:
            return None
        if not is_well_formed(token):
            return await self._sessions.resolve(token)  # says no without looking anywhere
        token_hash = hash_token(token)
        if self._familiar.get(token_hash, 0.0) > self._clock():
            caller = await self._sessions.resolve(token)
        else:
            caller = await self._strange(token, address)
        self._remember(token_hash, caller)
        return caller

    async def _strange(self, token: str, address: str) -> Caller | None:
        """A place is taken first and given back when the token is good, so many at one moment stay within the limit."""
        looking = self._looking.get(address) or self._looking.setdefault(address, asyncio.Semaphore(AT_ONCE))
        async with looking:
            await self._rates.unknown_token(address)
            caller = await self._sessions.resolve(token)
            if caller is not None:
                self._rates.known_after_all(address)
            return caller

    def _remember(self, token_hash: bytes, caller: Caller | None) -> None:
        self._familiar.pop(token_hash, None)
        if caller is None:
            return
        if len(self._familiar) >= MOST_FAMILIAR:
            del self._familiar[next(iter(self._familiar))]  # the one that was not seen for the longest time
        self._familiar[token_hash] = self._clock() + FAMILIAR_SECONDS
