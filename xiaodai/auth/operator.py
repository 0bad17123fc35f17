"""平台运营 · What operators of the platform do with lenders: provision, suspend, resume, list.

A process that answers requests may not make a lender: it files the request in the catalog, wakes the worker, and waits.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain.kernel.context import Actor
from domain.kernel.paging import Window
from domain.kernel.refusals import BadInput, Duplicate, InvalidAmount, InvalidInput, NotFound
from domain.organization.credential import check_password, check_username
from domain.organization.department import check_text
from tenancy.catalog import Catalog, ProvisionRequest
from tenancy.current import Lender
from tenancy.naming import BadName, check_code
from xiaodai.auth import passwords

FIRST_LOOK, LAST_LOOK = 0.02, 0.25  # seconds between two looks at a request, growing
LONGEST_WAIT = 60.0  # seconds until the worker has made a lender: others may be before it


@dataclass(frozen=True, slots=True)
class LenderPage:
    """One page of lenders in the order of their codes; what `domain.kernel.paging.Page` is inside a lender."""

    rows: list[Lender]
    cursors: list[str]
    has_next: bool
    has_previous: bool
    count: Callable[[], Awaitable[int]]

    async def total(self, _ctx: Any) -> int:
        return await self.count()


class Tenants:
    """What `ctx.ports.provisioning` is. `wake` tells the workers that a request is waiting."""

    def __init__(self, catalog: Catalog, wake: Callable[[], None]) -> None:
        self._catalog, self._wake = catalog, wake

    async def provision(
        self,
        operator: Actor,
        *,
        code: str,
        name: str,
        licence_type: str,
        net_assets: Decimal,
        open_on: date,
        admin_username: str,
        admin_password: str,
        sandbox: bool,
    ) -> Lender:
        """Answers when the lender is ready. Raises INVALID_INPUT, INVALID_AMOUNT, WEAK_PASSWORD, DUPLICATE (code), and
        TimeoutError where no worker has made it within a minute; it is made all the same when one comes."""
        _check_lender_code(code)
        if net_assets <= 0:
            raise InvalidAmount("netAssets", amount=net_assets)
        check_password("adminPassword", admin_password)
        request = ProvisionRequest(
            code=code,
            name=check_text("name", name, 200),
            licence_type=licence_type,
            net_assets=net_assets,
            open_on=open_on,
            admin_username=check_username(admin_username, "adminUsername"),
            admin_password_hash=await passwords.hash_in_thread(admin_password),
            sandbox=sandbox,
        )
        if await self._catalog.find(code):
            raise Duplicate("code", value=code)
        request_id = await self._catalog.file_provisioning(request)
        await self._catalog.note_action(operator.id, "PROVISION", code)
        async with asyncio.timeout(LONGEST_WAIT):
            return await self._made(request_id, code)

    async def suspend(self, operator: Actor, lender_id: UUID, reason: str | None) -> Lender:
        """停用. A repeat succeeds and changes nothing: who got no answer may ask again; each request is noted with its operator.

        Raises NOT_FOUND, for a closed lender too."""
        return await self._act(operator, "SUSPEND", await self._catalog.suspend(lender_id), reason)

    async def resume(self, operator: Actor, lender_id: UUID, reason: str | None) -> Lender:
        """恢复. A repeat succeeds and changes nothing: who got no answer may ask again; each request is noted with its operator.

        Raises NOT_FOUND, for a closed lender too."""
        return await self._act(operator, "RESUME", await self._catalog.resume(lender_id), reason)

    async def find(self, lender_id: UUID) -> Lender | None:
        return await self._catalog.by_id(lender_id)

    async def page(self, window: Window) -> LenderPage:
        """Raises BadInput for a cursor that is none of this list."""
        after = _decode(window.after) if window.after is not None else None
        found = await self._catalog.page(after=after, limit=window.size + 1)
        rows = found[: window.size]
        cursors = [base64.urlsafe_b64encode(lender.code.encode()).decode() for lender in rows]
        return LenderPage(rows, cursors, len(found) > window.size, after is not None, self._catalog.count)

    async def _made(self, request_id: UUID, code: str) -> Lender:
        pause = FIRST_LOOK
        while True:
            self._wake()
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LAST_LOOK)
            result = await self._catalog.provisioning_result(request_id)
            if result.state == "DONE" and result.lender_id:
                lender = await self._catalog.by_id(result.lender_id)
                if lender:
                    return lender
            elif result.reason_code == "CODE_TAKEN":
                raise Duplicate("code", value=code)
            elif result.state == "FAILED":
                raise RuntimeError(f"provisioning request {request_id} failed: {result.reason_code}")

    async def _act(self, operator: Actor, action: str, lender: Lender | None, reason: str | None) -> Lender:
        if lender is None:
            raise NotFound("tenantId")
        await self._catalog.note_action(operator.id, action, lender.code, reason)
        return lender


def _check_lender_code(code: str) -> None:
    try:
        check_code(code)
    except BadName as error:
        raise InvalidInput(
            "code",
            zh="机构编码由 2 至 31 个小写字母、数字或“_”组成，以字母开头，且不得为保留字。",
            en='A lender code is 2 to 31 of a-z, 0-9 and "_", begins with a letter, and is not a reserved word.',
        ) from error


def _decode(cursor: str) -> str:
    try:
        return check_code(base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii"))
    except (ValueError, UnicodeError, binascii.Error) as error:
        raise BadInput("the cursor is not one of this list") from error
