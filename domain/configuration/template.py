"""模板 · Templates (F51): the texts that documents are printed from, as versions that are never edited.

A template is Typst; the fields it may use are those of the command that prints it. A new version holds for what is printed
from then on. The fresh lender's texts are the files in `templates/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import String, Text, UniqueConstraint, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import command, query
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.refusals import InvalidInput
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, uuid7

if TYPE_CHECKING:
    from domain.kernel.context import Context

LONGEST = 100_000
FILES = Path(__file__).parent / "templates"

# Code → name. The contract pack of a normal loan, in the order in which it is printed.
CONTRACT_PACK: dict[str, str] = {
    "LOAN_CONTRACT": "借款合同",
    "LOAN_NOTE": "借据",
    "COST_SHEET": "综合融资成本明示表",
    "REPAYMENT_SCHEDULE": "还款计划表",
}
# What an entrusted loan's pack begins with: the agreement of entrustor, agent and borrower.
ENTRUSTED_PACK: dict[str, str] = {"ENTRUSTED_LOAN_AGREEMENT": "委托贷款合同"} | CONTRACT_PACK

TEMPLATES: dict[str, str] = ENTRUSTED_PACK


class Template(Keyed):
    """One version of one template. The highest version of a code is the one in use."""

    __tablename__ = "templates"
    __table_args__ = (UniqueConstraint("code", "version"),)
    grants: ClassVar[str] = "append"
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(40))
    version: Mapped[int]
    name: Mapped[str] = mapped_column(String(100))
    body: Mapped[str] = mapped_column(Text)


@command("configuration.template.publish")
async def publish(ctx: Context, *, code: str, body: str) -> Template:
    """The next version of a text. Raises INVALID_INPUT for an unknown code and an empty or too long text."""
    if code not in TEMPLATES:
        raise InvalidInput("code", zh="没有这种模板。", en="There is no such template.")
    if not 1 <= len(body.strip()) <= LONGEST:
        raise InvalidInput("body", zh="模板内容为空或过长。", en="The text is empty or too long.")
    latest = select(func.max(Template.version)).where(Template.code == code)
    version = int((await ctx.connection.execute(latest)).scalar_one())
    return ctx.add(Template(code=code, version=version + 1, name=TEMPLATES[code], body=body))


async def in_use(ctx: Context, codes: Sequence[str]) -> dict[str, Template]:
    """The version in use of each code."""
    newest = select(Template).ext(distinct_on(Template.code)).where(Template.code.in_(codes))
    rows = (await ctx.session.execute(newest.order_by(Template.code, Template.version.desc()))).scalars()
    return {row.code: row for row in rows}


@query("configuration.template.read")
async def templates(ctx: Context, *, columns: Sequence[Any]) -> list[Any]:
    """All versions, each code's latest first; small, so no pages."""
    order = (Template.code, Template.version.desc())
    return list((await ctx.connection.execute(select(*columns).order_by(*order))).all())


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """Version 1 of every text."""
    rows = [
        {
            "id": uuid7(), "created_at": request.moment, "code": code, "version": 1, "name": name,
            "body": (FILES / f"{code.lower()}.typ").read_text(encoding="utf-8"),
        }
        for code, name in TEMPLATES.items()
    ]  # fmt: skip
    await connection.execute(insert(Template), rows)
