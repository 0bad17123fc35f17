"""A folder as object storage: `objects/<lender>/<first two digits>/<sha-256>` under `XIAODAI_HOME`.

A file appears under its name only when it is complete and on the disk, so a crash leaves no half of one.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from gateways.object_storage.port import Stored, TooLarge
from tenancy.lender import Lender

PIECE = 64 * 1024
HASH = re.compile(r"[0-9a-f]{64}")
TWO_DIGITS = re.compile(r"[0-9a-f]{2}")
DRAFT = re.compile(r"[0-9a-f]{16}")


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

    async def older(self, lender: Lender, before: datetime) -> AsyncIterator[list[str]]:
        """By the time of the file: a folder of two digits at once."""
        folder = self._of(lender)
        for digits in await asyncio.to_thread(_names, folder, TWO_DIGITS):
            names = await asyncio.to_thread(_names, folder / digits, HASH, before)
            if names:
                yield names

    async def remove(self, lender: Lender, sha256: str, before: datetime) -> bool:
        """Under the lock that keeping takes, too: a file that is kept at this moment is not lost."""
        place = self._place(lender, sha256)

        def remove() -> bool:
            with _locked(self._of(lender)):
                if not _is_older(place, before):
                    return False
                place.unlink()
                return True

        return await asyncio.to_thread(remove)

    async def drop_unfinished(self, lender: Lender, before: datetime) -> int:
        drafts = self._of(lender) / "drafts"
        left = await asyncio.to_thread(_names, drafts, DRAFT, before)
        for name in left:
            await asyncio.to_thread((drafts / name).unlink, missing_ok=True)
        return len(left)

    def _keep(self, file: BinaryIO, draft: Path, place: Path) -> None:
        file.flush()
        os.fsync(file.fileno())
        place.parent.mkdir(parents=True, exist_ok=True)
        with _locked(place.parent.parent):
            draft.replace(place)

    def _of(self, lender: Lender) -> Path:
        return self._folder / lender.schema

    def _place(self, lender: Lender, sha256: str) -> Path:
        if not HASH.fullmatch(sha256):  # a name from outside could lead out of the folder
            raise FileNotFoundError(sha256)
        return self._of(lender) / sha256[:2] / sha256


def _names(folder: Path, form: re.Pattern[str], before: datetime | None = None) -> list[str]:
    """What lies in a folder under names of a form, in order; of a moment: only what is older."""
    if not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if form.fullmatch(path.name))
    return sorted(path.name for path in found if before is None or _is_older(path, before))


def _is_older(path: Path, before: datetime) -> bool:
    try:
        return path.stat().st_mtime < before.timestamp()
    except FileNotFoundError:
        return False


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time, on this machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
