"""授权文本 · Agreements (F53): the versioned texts that a customer agrees to (personal data, credit bureau …).

A consent names type and version, so what exactly was agreed to can always be shown (个人信息保护法 art. 14, 征信业管理条例
art. 18). A version is never edited; a new text is a new version.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Row, String, Text, UniqueConstraint, func, insert, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import command, query
from domain.kernel.refusals import InvalidInput
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, choice, uuid7
from domain.organization.department import check_text

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from domain.kernel.context import Context
    from domain.kernel.fresh_lender import FreshLender


class ConsentType(StrEnum):
    """What a customer agrees to. The law wants each asked for by itself."""

    PERSONAL_DATA = "PERSONAL_DATA"
    """个人信息 Use of personal data."""
    CREDIT_BUREAU = "CREDIT_BUREAU"
    """征信 Inquiry at, and report to, the credit bureau."""
    SENSITIVE_DATA = "SENSITIVE_DATA"
    """敏感个人信息 Use of sensitive personal data."""
    MARKETING = "MARKETING"
    """营销 Offers and advertising."""


class Agreement(Keyed):
    """One version of one text."""

    __tablename__ = "agreements"
    __table_args__ = (UniqueConstraint("type", "version"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Everyone()

    type: Mapped[ConsentType] = mapped_column(choice(ConsentType))
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(100))
    text: Mapped[str] = mapped_column(Text)


LONGEST_TEXT = 20_000

FIRST_VERSIONS: dict[ConsentType, tuple[str, str]] = {
    ConsentType.PERSONAL_DATA: (
        "个人信息授权书",
        "本人同意{lender}为办理贷款申请、审查、发放和贷后管理，在必要范围内收集、使用和保存本人的个人信息；"
        "本人可随时查阅、更正、复制或撤回本授权。",
    ),
    ConsentType.CREDIT_BUREAU: (
        "征信查询与报送授权书",
        "本人授权{lender}为贷款审批和贷后管理向金融信用信息基础数据库查询本人信用报告，并依法报送本人的信贷信息；"
        "报送不良信息前将事先告知本人。",
    ),
    ConsentType.SENSITIVE_DATA: (
        "敏感个人信息单独同意书",
        "本人单独同意{lender}为核实身份和发放、收回贷款处理本人的身份证件、金融账户等敏感个人信息。",
    ),
    ConsentType.MARKETING: (
        "营销信息授权书",
        "本人同意{lender}向本人发送产品和服务信息；本人可随时拒收，拒绝不影响贷款业务的办理。",
    ),
}


@command("configuration.agreement.publish")
async def publish(ctx: Context, *, type: ConsentType, title: str, text: str) -> Agreement:
    """Publishes the next version of a text; consents to earlier ones stay what they are. Raises InvalidInput."""
    title = check_text("title", title)
    if not text.strip() or "\0" in text or len(text) > LONGEST_TEXT:
        raise InvalidInput("text")
    # Two publishers at once would take the same number: the unique constraint lets one of them through.
    latest = select(func.coalesce(func.max(Agreement.version), 0)).where(Agreement.type == type)
    number = int((await ctx.connection.execute(latest)).scalar_one())
    return ctx.add(Agreement(type=type, version=number + 1, title=title, text=text))


@query("configuration.agreement.read")
async def agreements(ctx: Context, *, columns: list[Any]) -> list[Row[Any]]:
    """The texts, each type's latest version first; small, so no pages."""
    order = (Agreement.type, Agreement.version.desc())
    return list((await ctx.connection.execute(select(*columns).order_by(*order))).all())


async def known(ctx: Context) -> set[tuple[ConsentType, int]]:
    """Which versions exist."""
    found = (await ctx.connection.execute(select(Agreement.type, Agreement.version))).all()
    return {(ConsentType(type_), version) for type_, version in found}


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """Version 1 of each text, with the lender's name in it."""
    await connection.execute(
        insert(Agreement),
        [
            {
                "id": uuid7(), "created_at": request.moment,
                "type": type_, "version": 1, "title": title, "text": text.format(lender=request.name),
            }
            for type_, (title, text) in FIRST_VERSIONS.items()
        ],
    )  # fmt: skip
