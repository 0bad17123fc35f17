"""黑名单 · Parties that are refused: kept by identifier, so a person is found under any name and before he is a customer."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, String, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.customers.customer import read_id_number, read_uscc
from domain.customers.enterprise_customer import EnterpriseCustomer
from domain.customers.individual_customer import IndividualCustomer
from domain.kernel import personal_data
from domain.kernel.command import command, lock
from domain.kernel.refusals import InvalidInput, InvalidState
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context


class BlacklistedParty(Keyed):
    """One refused person or enterprise, from now until `until` (the day itself belongs to it) or for good."""

    __tablename__ = "blacklisted_parties"
    __table_args__ = (CheckConstraint("(id_number_sealed is null) <> (uscc is null)", name="one_identifier"),)
    reach: ClassVar[Reach] = Everyone()

    name: Mapped[str] = mapped_column(String(100))
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    id_number_masked: Mapped[str | None] = mapped_column(String(40))
    uscc: Mapped[str | None] = mapped_column(String(18), index=True)
    reason: Mapped[str] = mapped_column(String(200))
    until: Mapped[date | None]
    removed: Mapped[bool] = mapped_column(default=False)


@command("customers.blacklist.add")
async def add(
    ctx: Context,
    *,
    name: str,
    reason: str,
    id_number: str | None = None,
    uscc: str | None = None,
    until: date | None = None,
) -> BlacklistedParty:
    """Refuses a party from now on. Give one identifier. Raises InvalidInput, InvalidIdNumber, InvalidUscc."""
    if (id_number is None) == (uscc is None):
        raise InvalidInput("idNumber", zh="请填写身份证号或信用代码之一。", en="Give an ID number or a credit code.")
    if until is not None and until < ctx.today:
        raise InvalidInput("until")
    row = BlacklistedParty(
        name=check_text("name", name),
        uscc=None if uscc is None else read_uscc(uscc),
        reason=check_text("reason", reason, 200),
        until=until,
    )
    personal_data.seal(ctx, row, "id_number", None if id_number is None else read_id_number(id_number).number)
    return ctx.add(row)


@command("customers.blacklist.remove")
async def remove(ctx: Context, *, party_id: UUID) -> BlacklistedParty:
    """Takes a party off the list; the row stays. Raises NotFound, InvalidState."""
    row = await lock(ctx, BlacklistedParty, party_id, "partyId")
    if row.removed:
        raise InvalidState("partyId", state="REMOVED")
    row.removed = True
    return row


async def blacklisted(ctx: Context, customer_id: UUID) -> bool:
    """Whether the customer, under the ID number or credit code it has, is refused today."""
    person, company, party = IndividualCustomer.__table__.c, EnterpriseCustomer.__table__.c, BlacklistedParty
    number = select(person.id_number_fingerprint).where(person.id == customer_id).scalar_subquery()
    code = select(company.uscc).where(company.id == customer_id).scalar_subquery()
    listed = select(party.id).where(
        ~party.removed,
        or_(party.until.is_(None), party.until >= ctx.today),
        or_(party.id_number_fingerprint == number, party.uscc == code),
    )
    return (await ctx.connection.execute(listed.limit(1))).first() is not None
