"""关联方 · Related parties of a customer: spouse, ultimate controller, shareholders (F07).

They are kept by identifier where it is known, so that `related_group` finds whom several customers have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, Row, String, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.customers.customer import Customer, read_id_number, read_mobile, read_uscc
from domain.kernel import personal_data
from domain.kernel.command import command, lock
from domain.kernel.refusals import InvalidInput
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, RateColumn, choice
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context


class Relation(StrEnum):
    """配偶, 实际控制人, 股东."""

    SPOUSE = "SPOUSE"
    """配偶 Married to the customer."""
    CONTROLLER = "CONTROLLER"
    """实际控制人 Controls the company."""
    SHAREHOLDER = "SHAREHOLDER"
    """股东 Holds a share of the company."""


class RelatedParty(Keyed):
    """One party behind a customer: a person (ID number) or an organization (credit code). `share` of a shareholder."""

    __tablename__ = "related_parties"
    reach: ClassVar[Reach] = Through("customer_id", "customers")

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    relation: Mapped[Relation] = mapped_column(choice(Relation))
    name: Mapped[str] = mapped_column(String(100), index=True)
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_fingerprint: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    id_number_masked: Mapped[str | None] = mapped_column(String(40))
    mobile_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    mobile_masked: Mapped[str | None] = mapped_column(String(40))
    uscc: Mapped[str | None] = mapped_column(String(18), index=True)
    share: Mapped[Decimal | None] = mapped_column(RateColumn)


@dataclass(frozen=True, slots=True)
class Party:
    """A related party as it is entered."""

    name: str
    id_number: str | None = None
    uscc: str | None = None
    mobile: str | None = None
    share: Decimal | None = None


# --------------------------------------------------------------------------- commands


@command("customers.related_party.create")
async def create(ctx: Context, *, customer_id: UUID, relation: Relation, party: Party) -> RelatedParty:
    """Names a related party of a customer. Raises NotFound, InvalidIdNumber, InvalidUscc, InvalidMobile, InvalidInput."""
    customer = await lock(ctx, Customer, customer_id, "customerId")
    return attach(ctx, customer.id, relation, party)


def attach(
    ctx: Context, customer_id: UUID, relation: Relation, party: Party, field: tuple[str, ...] = ()
) -> RelatedParty:
    """Adds the row; part of the commands that create customers. `field` is where the party stands in their input."""
    if party.share is not None and not 0 < party.share <= 1:
        raise InvalidInput((*field, "share"))
    row = RelatedParty(
        customer_id=customer_id,
        relation=relation,
        name=check_text("name", party.name),
        uscc=None if party.uscc is None else read_uscc(party.uscc),
        share=party.share,
    )
    number, mobile = party.id_number, party.mobile
    personal_data.seal(
        ctx, row, "id_number", None if number is None else read_id_number(number, (*field, "idNumber")).number
    )
    personal_data.seal(ctx, row, "mobile", None if mobile is None else read_mobile(mobile, (*field, "mobile")))
    return ctx.add(row)


# --------------------------------------------------------------------------- queries


async def by_customer(ctx: Context, customer_ids: Sequence[UUID], columns: Sequence[Any]) -> dict[UUID, list[Row[Any]]]:
    """The related parties of each customer, oldest first. `columns` must hold `customer_id`."""
    statement = select(*columns).where(RelatedParty.customer_id.in_(customer_ids)).order_by(RelatedParty.id)
    found: dict[UUID, list[Row[Any]]] = {customer_id: [] for customer_id in customer_ids}
    for row in (await ctx.connection.execute(statement)).all():
        found[row.customer_id].append(row)
    return found
