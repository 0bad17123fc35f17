"""贷款用途 · Purposes of loans: the dictionary, with those that the law forbids.

Forbidden are shares, derivatives and property finance contrary to the rules (金规〔2024〕26号, domain.md §3.1). Whether a
purpose is consumption or business decides which limit of an online licence holds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Row, String, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import command, query
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, choice, uuid7
from domain.organization.department import check_code, check_text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from domain.kernel.context import Context
    from domain.kernel.fresh_lender import FreshLender


class PurposeUse(StrEnum):
    """消费 or 经营."""

    CONSUMPTION = "CONSUMPTION"
    """消费 For private life."""
    BUSINESS = "BUSINESS"
    """经营 For a business."""


class Purpose(Keyed):
    """One purpose. Applications name it by `code`; a forbidden one stays in the list so that it can be refused by name."""

    __tablename__ = "purposes"
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    use: Mapped[PurposeUse] = mapped_column(choice(PurposeUse))
    forbidden: Mapped[bool]


DEFAULTS: tuple[tuple[str, str, PurposeUse, bool], ...] = (
    ("WORKING_CAPITAL", "流动资金周转", PurposeUse.BUSINESS, False),
    ("EQUIPMENT", "购置设备", PurposeUse.BUSINESS, False),
    ("AGRICULTURE", "农业生产", PurposeUse.BUSINESS, False),
    ("CONSUMPTION", "个人消费", PurposeUse.CONSUMPTION, False),
    ("STOCK_INVESTMENT", "股票投资", PurposeUse.BUSINESS, True),
    ("DERIVATIVES", "金融衍生品投资", PurposeUse.BUSINESS, True),
    ("REAL_ESTATE_PURCHASE", "购买房产", PurposeUse.CONSUMPTION, True),
)


@command("configuration.purpose.save")
async def save(ctx: Context, *, code: str, name: str, use: PurposeUse, forbidden: bool) -> Purpose:
    """Adds a purpose, or changes the one of this code. Applications already made keep what they were checked against.

    Raises InvalidInput."""
    code, name = check_code("code", code), check_text("name", name, 60)
    row = (
        await ctx.session.execute(select(Purpose).where(Purpose.code == code).with_for_update())
    ).scalar_one_or_none()
    if row is None:
        return ctx.add(Purpose(code=code, name=name, use=use, forbidden=forbidden))
    row.name, row.use, row.forbidden = name, use, forbidden
    return row


@query("configuration.purpose.read")
async def purposes(ctx: Context, *, columns: list[Any]) -> list[Row[Any]]:
    """The whole dictionary by code; it is small, so no pages."""
    return list((await ctx.connection.execute(select(*columns).order_by(Purpose.code))).all())


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The purposes of a fresh lender."""
    await connection.execute(
        insert(Purpose),
        [
            {
                "id": uuid7(), "created_at": request.moment,
                "code": code, "name": name, "use": use, "forbidden": forbidden,
            }
            for code, name, use, forbidden in DEFAULTS
        ],
    )  # fmt: skip
