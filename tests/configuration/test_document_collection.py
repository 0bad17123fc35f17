"""清理: a file that no row knows is removed after a day; what a row knows, and what is new, stays."""

import os
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.configuration import document
from domain.configuration.document import Document, collect
from domain.finance import disbursement
from domain.kernel.context import Context
from domain.lending import loan_contract
from gateways.object_storage.folder import FolderStorage
from tests.support.actors import LenderAtWork
from tests.support.client import statements
from tests.support.lending import approved

TWO_DAYS = 2 * 86_400


@pytest.fixture
def folder(tmp_path: Path, lender: LenderAtWork) -> Path:
    """Where the files of this test lie; everybody of the lender keeps them there."""
    ports = replace(lender.ports, storage=FolderStorage(tmp_path))
    lender.ports = ports
    lender.people = {name: replace(person, ports=ports) for name, person in lender.people.items()}
    return tmp_path


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def make_old(folder: Path) -> None:
    moment = time.time() - TWO_DAYS
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def kept(ctx: Context, content: bytes) -> str:
    return str((await ctx.ports.storage.put(ctx.lender, once(content), 100)).sha256)


async def uploaded(ctx: Context, content: bytes) -> str:
    sha256 = await kept(ctx, content)
    await document.upload(ctx, name="a.pdf", content_type="application/pdf", sha256=sha256, size=len(content))
    return sha256


async def test_only_old_files_without_a_row_are_removed(lender: LenderAtWork, folder: Path):
    known = await uploaded(lender.account_manager, b"known")
    await kept(lender.account_manager, b"nobody's")
    make_old(folder)
    fresh = await kept(lender.account_manager, b"just now")
    assert await collect(lender.system) == 1
    assert files(folder) == {known, fresh}
    assert await collect(lender.system) == 0


async def test_what_a_failed_command_kept_is_removed_and_it_can_be_done_again(
    lender: LenderAtWork, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    application = await approved(lender)

    async def fails(*_: object) -> None:
        raise RuntimeError("after the pack was printed")

    with monkeypatch.context() as broken:
        broken.setattr(disbursement, "plan", fails)
        with pytest.raises(RuntimeError):
            await loan_contract.prepare(lender.account_manager, application_id=application.id)
    assert (len(files(folder)), await lender.rows(Document)) == (4, [])
    make_old(folder)
    assert await collect(lender.system) == 4
    await loan_contract.prepare(lender.account_manager, application_id=application.id)
    make_old(folder)
    assert await collect(lender.system) == 0
    assert files(folder) == {row.sha256 for row in await lender.rows(Document)}


async def test_rows_are_asked_for_many_files_at_once(
    lender: LenderAtWork, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    counts = []
    for number in (1, 6):
        for serial in range(number):
            place = folder / lender.lender.schema / "ab" / f"ab{number}{serial}".ljust(64, "0")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(b"x")
        make_old(folder)
        with statements() as seen:
            assert await collect(lender.system) == number
        counts.append(len(seen))
    assert counts[0] == counts[1]
    monkeypatch.setattr(document, "NAMES_AT_ONCE", 2)
    known = [await uploaded(lender.account_manager, bytes([number])) for number in range(5)]
    make_old(folder)
    assert await collect(lender.system) == 0
    assert files(folder) == set(known)
