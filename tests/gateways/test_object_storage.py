"""对象存储: content by its hash, kept once, whole or not at all, each lender apart."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime
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
