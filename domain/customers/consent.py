"""客户授权 · Consents: what a customer agreed to, with the version of the text, and since when (个人信息保护法 art. 13–15)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Row, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.configuration import agreement
from domain.configuration.agreement import ConsentType
from domain.customers.customer import Customer
from domain.kernel.command import command, lock
from domain.kernel.refusals import Duplicate, InvalidInput, InvalidState
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, choice

if TYPE_CHECKING:
    from domain.kernel.context import Context


class ConsentRecord(Keyed):
    """One agreement of one customer; `withdrawn_at` ends it, and the row stays as proof."""

    __tablename__ = "consent_records"
    __table_args__ = (UniqueConstraint("customer_id", "type", "version"),)
    reach: ClassVar[Reach] = Through("customer_id", "customers")

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"))
    type: Mapped[ConsentType] = mapped_column(choice(ConsentType))
    version: Mapped[int]
    agreed_at: Mapped[datetime]
    recorded_by_id: Mapped[UUID]
    withdrawn_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Consent:
    """A consent as it is entered."""

    type: ConsentType
    version: int


NEEDED_FOR_A_LOAN = (ConsentType.PERSONAL_DATA, ConsentType.CREDIT_BUREAU)


@command("customers.consent.record")
async def record(ctx: Context, *, customer_id: UUID, consent: Consent) -> ConsentRecord:
    """Records one more consent. Raises NotFound, InvalidInput (no such text), Duplicate."""
    await lock(ctx, Customer, customer_id, "customerId")
    given = select(ConsentRecord.id).where(
        ConsentRecord.customer_id == customer_id,
        ConsentRecord.type == consent.type,
        ConsentRecord.version == consent.version,
    )
    if (await ctx.connection.execute(given)).first() is not None:
        raise Duplicate("type", value=f"{consent.type} {consent.version}")
    return (await attach(ctx, customer_id, (consent,)))[0]


@command("customers.consent.withdraw")
async def withdraw(ctx: Context, *, consent_id: UUID) -> ConsentRecord:
    """The customer takes a consent back; what was done under it stays lawful. Raises NotFound, InvalidState."""
    row = await lock(ctx, ConsentRecord, consent_id, "consentId")
    if row.withdrawn_at is not None:
        raise InvalidState("consentId", state="WITHDRAWN")
    row.withdrawn_at = ctx.now
    return row


async def attach(ctx: Context, customer_id: UUID, consents: Sequence[Consent]) -> list[ConsentRecord]:
    """Adds the rows; part of the command that creates a customer. Raises InvalidInput for a text that does not exist."""
    known = await agreement.known(ctx) if consents else set()
    rows = []
    for index, consent in enumerate(dict.fromkeys(consents)):
        if (consent.type, consent.version) not in known:
            raise InvalidInput(
                ("consents", str(index), "version"),
                zh="没有该版本的授权文本：{type} {version}。",
                en="There is no such text: {type} version {version}.",
                type=consent.type,
                version=consent.version,
            )
        rows.append(
            ctx.add(
                ConsentRecord(
                    customer_id=customer_id,
                    type=consent.type,
                    version=consent.version,
                    agreed_at=ctx.now,
                    recorded_by_id=ctx.actor.id,
                )
            )
        )
    return rows


async def missing(
    ctx: Context, customer_id: UUID, needed: Iterable[ConsentType] = NEEDED_FOR_A_LOAN
) -> list[ConsentType]:
    """The consents that are needed and not given (or withdrawn), in the order asked for."""
    given = await ctx.connection.execute(
        select(ConsentRecord.type)
        .where(ConsentRecord.customer_id == customer_id, ConsentRecord.withdrawn_at.is_(None))
        .distinct()
    )
    have = set(given.scalars())
    return [type_ for type_ in needed if type_ not in have]


async def by_customer(ctx: Context, customer_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Row[Any]]]:
    """The consents of each customer, oldest first. `columns` must hold `customer_id`."""
    statement = select(*columns).where(ConsentRecord.customer_id.in_(customer_ids)).order_by(ConsentRecord.id)
    found: dict[UUID, list[Row[Any]]] = {customer_id: [] for customer_id in customer_ids}
    for row in (await ctx.connection.execute(statement)).all():
        found[row.customer_id].append(row)
    return found
