"""对象存储接口 · What the business asks of whoever keeps its files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
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
        """Keeps a stream of at most `most` bytes. Raises TooLarge."""
        ...

    def read(self, lender: Lender, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces. Raises FileNotFoundError."""
        ...
