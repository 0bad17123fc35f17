"""对象存储: content by its hash, kept once, whole or not at all, each lender apart."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from gateways.object_storage.folder import FolderStorage
from gateways.object_storage.port import TooLarge
from tenancy.lender import ACTIVE, Lender

ALPHA = Lender(
    id=UUID(int=1),
    code="alpha",
    name="甲",
    status=ACTIVE,
    licence_type="TRADITIONAL",
    sandbox=True,
    business_date=date(2026, 1, 1),
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    installation="test",
)
BETA = replace(ALPHA, id=UUID(int=2), code="beta")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def broken(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    raise ConnectionError


async def content(storage: FolderStorage, lender: Lender, name: str) -> bytes:
    return b"".join([piece async for piece in storage.read(lender, name)])


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_is_kept_is_found_by_its_hash(tmp_path: Path):
    storage, long = FolderStorage(tmp_path), b"x" * 200_000
    stored = await storage.put(ALPHA, pieces(long[:7], long[7:]), 200_000)
    assert (stored.sha256, stored.size) == (sha256(long).hexdigest(), 200_000)
    assert await content(storage, ALPHA, stored.sha256) == long
    assert await storage.put(ALPHA, pieces(long), 200_000) == stored
    assert len(files(tmp_path)) == 1


async def test_too_much_leaves_nothing(tmp_path: Path):
    storage = FolderStorage(tmp_path)
    with pytest.raises(TooLarge):
        await storage.put(ALPHA, pieces(b"12345", b"6"), 5)
    with pytest.raises(ConnectionError):
        await storage.put(ALPHA, broken(b"123"), 5)
    assert files(tmp_path) == []


async def test_lenders_have_their_own(tmp_path: Path):
    storage = FolderStorage(tmp_path)
    stored = await storage.put(ALPHA, pieces(b"secret"), 10)
    with pytest.raises(FileNotFoundError):
        await content(storage, BETA, stored.sha256)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "/.."])
async def test_a_name_that_is_no_hash_leads_nowhere(tmp_path: Path, name: str):
    with pytest.raises(FileNotFoundError):
        await content(FolderStorage(tmp_path), ALPHA, name)


DAY = timedelta(days=1)


def make_older(folder: Path, by: timedelta = 2 * DAY) -> None:
    moment = datetime.now(UTC).timestamp() - by.total_seconds()
    for path in files(folder):
        os.utime(path, (moment, moment))


async def old_ones(storage: FolderStorage, lender: Lender, before: datetime) -> list[str]:
    return [name async for names in storage.older(lender, before) for name in names]


async def test_what_is_old_is_found_and_removed(tmp_path: Path):
    storage, yesterday = FolderStorage(tmp_path), datetime.now(UTC) - DAY
    assert await old_ones(storage, ALPHA, yesterday) == []
    kept = [(await storage.put(ALPHA, pieces(bytes([number])), 10)).sha256 for number in range(5)]
    assert await old_ones(storage, ALPHA, yesterday) == []
    make_older(tmp_path)
    new = (await storage.put(ALPHA, pieces(b"new"), 10)).sha256
    other = (await storage.put(BETA, pieces(b"other"), 10)).sha256
    assert sorted(await old_ones(storage, ALPHA, yesterday)) == sorted(kept)
    assert [await storage.remove(ALPHA, name, yesterday) for name in (*kept[:2], kept[0], new, other)] == [
        True, True, False, False, False,
    ]  # fmt: skip
    assert sorted(await old_ones(storage, ALPHA, yesterday)) == sorted(kept[2:])
    assert await content(storage, ALPHA, new) == b"new"
    assert await content(storage, BETA, other) == b"other"


async def test_what_is_kept_again_is_as_new(tmp_path: Path):
    storage, yesterday = FolderStorage(tmp_path), datetime.now(UTC) - DAY
    stored = await storage.put(ALPHA, pieces(b"twice"), 10)
    make_older(tmp_path)
    assert await old_ones(storage, ALPHA, yesterday) == [stored.sha256]
    await storage.put(ALPHA, pieces(b"twice"), 10)  # between looking and removing
    assert not await storage.remove(ALPHA, stored.sha256, yesterday)
    assert await content(storage, ALPHA, stored.sha256) == b"twice"


async def test_removing_and_keeping_at_once_never_loses_a_file(tmp_path: Path):
    """Whoever has kept a file finds it, though somebody removes old ones all the time."""
    storage, yesterday = FolderStorage(tmp_path), datetime.now(UTC) - DAY
    for _ in range(30):
        stored = await storage.put(ALPHA, pieces(b"again"), 10)
        make_older(tmp_path)
        removing = [storage.remove(ALPHA, stored.sha256, yesterday) for _ in range(3)]
        await asyncio.gather(storage.put(ALPHA, pieces(b"again"), 10), *removing)
        assert await content(storage, ALPHA, stored.sha256) == b"again"


async def test_what_a_crash_left_is_dropped(tmp_path: Path):
    storage, yesterday = FolderStorage(tmp_path), datetime.now(UTC) - DAY
    await storage.put(ALPHA, pieces(b"whole"), 10)
    draft = tmp_path / ALPHA.schema / "drafts"
    (draft / ("0" * 16)).write_bytes(b"ha")
    make_older(tmp_path)
    (draft / ("1" * 16)).write_bytes(b"at wo")
    assert await storage.drop_unfinished(ALPHA, yesterday) == 1
    assert [path.name for path in draft.iterdir()] == ["1" * 16]
    assert await storage.drop_unfinished(BETA, yesterday) == 0
