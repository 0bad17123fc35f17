"""What the business needs from outside and is handed by the running program (`xiaodai`), never imported."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from tenancy.current import Door, Lender

AfterCommit = Callable[["Lender", bool, Sequence[datetime]], Awaitable[None]]
"""Called after a commit: (lender, whether feed rows were written, when new jobs are due)."""

DayOpened = Callable[[UUID, date], Awaitable[None]]
"""Called after an end of day: (lender id, the business day that is open now); operators see it in their list."""


async def nobody_listens(_lender: Lender, _feed: bool, _jobs_due: Sequence[datetime]) -> None:
    """The after-commit of a process that wakes nobody: polling finds what was written."""


async def nobody_lists(_lender_id: UUID, _day: date) -> None:
    """The day-opened of a process without a list of lenders."""


class PersonalDataKeys(Protocol):
    """Seals and opens personal data of one lender (AES-GCM, key per lender, wrapped by the master key)."""

    def seal(self, lender: Lender, place: str, text: str) -> bytes: ...

    def open(self, lender: Lender, place: str, sealed: bytes) -> str: ...

    def fingerprint(self, lender: Lender, kind: str, text: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Ports:
    """The door, the keys, the gateways. `gateways` holds one object per party, typed in gateways/<party>/port.py."""

    door: Door
    keys: PersonalDataKeys
    after_commit: AfterCommit = nobody_listens
    day_opened: DayOpened = nobody_lists
    bank: Any = None
    storage: Any = None
    documents: Any = None
    identity: Any = None
    provisioning: Any = None
    live: Any = None
