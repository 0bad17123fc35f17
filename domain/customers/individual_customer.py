"""个人客户 · Individual customer (F08): a natural person, known by the resident ID number.

Birth date and sex come from the number and are never asked for. A minor may be a customer (a guarantor's child, an heir);
he is refused when he asks for a loan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.identifiers import Sex
from domain.customers import consent, related_party
from domain.customers.consent import Consent
from domain.customers.customer import (
    Customer,
    CustomerKind,
    check_region,
    enter,
    read_id_number,
    read_mobile,
)
from domain.customers.related_party import Party, Relation
from domain.kernel import personal_data
from domain.kernel.command import command
from domain.kernel.refusals import InvalidAmount
from domain.kernel.scope import Reach, Through
from domain.kernel.table import Keyed, MoneyColumn, choice
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context


class IndividualCustomer(Customer):
    """What only a person has. `farmer` (农户) decides tax and reports; income is CNY a month."""

    __tablename__ = "individual_customers"
    __mapper_args__ = {
        "polymorphic_identity": CustomerKind.INDIVIDUAL,
        "polymorphic_load": "selectin",
    }
    reach: ClassVar[Reach] = Through("id", "customers")

    id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    id_number_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    id_number_fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    id_number_masked: Mapped[str] = mapped_column(String(40))
    birth_date: Mapped[date]
    sex: Mapped[Sex] = mapped_column(choice(Sex))
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    address_masked: Mapped[str | None] = mapped_column(String(40))
    farmer: Mapped[bool]
    employer: Mapped[str | None] = mapped_column(String(100))
    monthly_income: Mapped[Decimal | None] = mapped_column(MoneyColumn)


class EmergencyContact(Keyed):
    """紧急联系人 · Whom to ask after the customer cannot be reached; never for collection (domain.md §3.6)."""

    __tablename__ = "emergency_contacts"
    reach: ClassVar[Reach] = Through("customer_id", "customers")

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), index=True)
    name: Mapped[str] = mapped_column(String(60))
    relation: Mapped[str] = mapped_column(String(30))
    mobile_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    mobile_masked: Mapped[str] = mapped_column(String(40))


@dataclass(frozen=True, slots=True)
class Contact:
    """An emergency contact as it is entered."""

    name: str
    relation: str
    mobile: str


# --------------------------------------------------------------------------- commands


@command("customers.individual_customer.create")
async def create(
    ctx: Context,
    *,
    name: str,
    id_number: str,
    mobile: str,
    address: str | None = None,
    region_code: str | None = None,
    farmer: bool = False,
    employer: str | None = None,
    monthly_income: Decimal | None = None,
    spouse: Party | None = None,
    emergency_contacts: Sequence[Contact] = (),
    consents: Sequence[Consent] = (),
) -> IndividualCustomer:
    """Enters a person with the spouse, the emergency contacts and what was agreed to.

    Raises InvalidIdNumber, InvalidMobile, InvalidInput, InvalidAmount, and Duplicate for a person known already.
    """
    known = read_id_number(id_number)
    if monthly_income is not None and monthly_income < 0:
        raise InvalidAmount("monthlyIncome", amount=monthly_income)
    customer = IndividualCustomer(
        name=check_text("name", name),
        birth_date=known.birth_date,
        sex=known.sex,
        region_code=check_region(region_code),
        farmer=farmer,
        employer=None if employer is None else check_text("employer", employer),
        monthly_income=monthly_income,
    )
    personal_data.seal(ctx, customer, "id_number", known.number)
    personal_data.seal(ctx, customer, "address", None if address is None else check_text("address", address, 200))
    await enter(ctx, customer, mobile=mobile, identifier="idNumber", shown_as=customer.id_number_masked)
    if spouse is not None:
        related_party.attach(ctx, customer.id, Relation.SPOUSE, spouse, field=("spouse",))
    for index, contact in enumerate(emergency_contacts):
        _attach_contact(ctx, customer.id, contact, ("emergencyContacts", str(index)))
    await consent.attach(ctx, customer.id, consents)
    return customer


def _attach_contact(ctx: Context, customer_id: UUID, contact: Contact, field: tuple[str, ...]) -> None:
    row = EmergencyContact(
        customer_id=customer_id,
        name=check_text("emergencyContacts", contact.name, 60),
        relation=check_text("emergencyContacts", contact.relation, 30),
    )
    personal_data.seal(ctx, row, "mobile", read_mobile(contact.mobile, (*field, "mobile")))
    ctx.add(row)


# --------------------------------------------------------------------------- queries


async def id_numbers(ctx: Context, customer_ids: Sequence[UUID]) -> dict[UUID, str | None]:
    """ID numbers as the viewer may see them: masked, unless he may read personal data."""
    table = IndividualCustomer.__table__.c
    columns = (table.id, table.id_number_sealed, table.id_number_masked)
    rows = (await ctx.connection.execute(select(*columns).where(table.id.in_(customer_ids)))).all()
    return await personal_data.shown(ctx, IndividualCustomer, "id_number", rows)
