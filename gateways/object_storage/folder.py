"""A folder as object storage: `objects/<lender>/<first two digits>/<sha-256>` under `XIAODAI_HOME`.

A file appears under its name only when it is complete and on the disk, so a crash leaves no half of one.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from gateways.object_storage.port import Stored, TooLarge
from tenancy.lender import Lender

PIECE = 64 * 1024
HASH = re.compile(r"[0-9a-f]{64}")


class FolderStorage:
    """Object storage on the local disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, lender: Lender, content: AsyncIterator[bytes], most: int) -> Stored:
        """Writes the stream beside its place, then moves it there under its hash."""
        drafts = self._of(lender) / "drafts"
        await asyncio.to_thread(drafts.mkdir, parents=True, exist_ok=True)
        draft = drafts / secrets.token_hex(8)
        digest, size = hashlib.sha256(), 0
        file = await asyncio.to_thread(draft.open, "xb")
        try:
            async for piece in content:
                size += len(piece)
                if size > most:
                    raise TooLarge
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
            stored = Stored(digest.hexdigest(), size)
            await asyncio.to_thread(self._keep, file, draft, self._place(lender, stored.sha256))
            return stored
        finally:
            file.close()
            draft.unlink(missing_ok=True)

    async def read(self, lender: Lender, sha256: str) -> AsyncIterator[bytes]:
        """The content in pieces of 64 KiB."""
        file = await asyncio.to_thread(self._place(lender, sha256).open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece
        finally:
            file.close()

    @staticmethod
    def _keep(file: BinaryIO, draft: Path, place: Path) -> None:
        file.flush()
        os.fsync(file.fileno())
        place.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(place)

    def _of(self, lender: Lender) -> Path:
        return self._folder / lender.schema

    def _place(self, lender: Lender, sha256: str) -> Path:
        if not HASH.fullmatch(sha256):  # a name from outside could lead out of the folder
            raise FileNotFoundError(sha256)
        return self._of(lender) / sha256[:2] / sha256
