"""对象存储接口 · What the business asks of whoever keeps its files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tenancy.lender import Lender


class TooLarge(Exception):
    """The content is longer than was allowed; nothing was kept."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was kept: its sha-256 in hexadecimal, by which it is found again, and its size in bytes."""

    sha256: str
    size: int


class ObjectStorage(Protocol):
    """Files of one lender each, by their hash: the same content is kept once, and nothing is ever overwritten."""

    async def put(self, lender: Lender, content: AsyncIterator[bytes], most: int) -> Stored:
        """Keeps a stream of at most `most` bytes; what was kept before is as new again. Raises TooLarge."""
        ...

    def read(self, lender: Lender, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces. Raises FileNotFoundError."""
        ...

    def older(self, lender: Lender, before: datetime) -> AsyncIterator[list[str]]:
        """The hashes of what was kept for the last time before a moment, some at once."""
        ...

    async def remove(self, lender: Lender, sha256: str, before: datetime) -> bool:
        """Removes a file unless it was kept again since that moment; answers whether it did."""
        ...

    async def drop_unfinished(self, lender: Lender, before: datetime) -> int:
        """Removes what crashes left of files that were never whole, begun before a moment; answers how many."""
        ...
