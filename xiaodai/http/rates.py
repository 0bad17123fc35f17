"""频率 · How often one person may ask and one address may sign in. Counted in each process (docs/decisions)."""

from __future__ import annotations

import math
import re
import time
from collections import deque
from collections.abc import Callable

from xiaodai.observability import REFUSED_REQUESTS

SIGN_IN = re.compile(r"\bsignIn\b")
MOST_REMEMBERED = 20_000


class TooMany(Exception):
    """Over the limit; `retry_after` in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("too many requests")
        self.retry_after = retry_after


class Window:
    """At most `most` in any span of `seconds`, for each name."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._seen: dict[str, deque[float]] = {}

    def take(self, name: str) -> None:
        """Raises TooMany."""
        now = self._clock()
        seen = self._seen.get(name)
        if seen is None:
            if len(self._seen) >= MOST_REMEMBERED:
                self._forget(now)
            seen = self._seen[name] = deque()
        while seen and seen[0] <= now - self._seconds:
            seen.popleft()
        if len(seen) >= self._most:
            raise TooMany(max(1, math.ceil(seen[0] + self._seconds - now)))
        seen.append(now)

    def _forget(self, now: float) -> None:
        self._seen = {name: seen for name, seen in self._seen.items() if seen and seen[-1] > now - self._seconds}


class Rates:
    """Requests of one person (or, before signing in, one address) and sign-ins from one address."""

    def __init__(self, requests_per_second: int = 200, sign_ins_per_minute: int = 60) -> None:
        self._requests = Window(requests_per_second, 1.0)
        self._sign_ins = Window(sign_ins_per_minute, 60.0)

    def request(self, name: str) -> None:
        self._take(self._requests, name, "requests")

    def sign_in(self, address: str, document: str) -> None:
        """Counts every `signIn` of a document, whoever sends it: thirty under aliases are thirty tries."""
        for _ in SIGN_IN.finditer(document):
            self._take(self._sign_ins, address, "sign-ins")

    def _take(self, window: Window, name: str, reason: str) -> None:
        try:
            window.take(name)
        except TooMany:
            REFUSED_REQUESTS.labels(reason).inc()
            raise
