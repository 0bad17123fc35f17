"""企业客户 · Enterprise customer (F07): a company or other organization, known by its unified social credit code."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from domain.customers import related_party
from domain.customers.customer import Customer, CustomerKind, check_region, enter, read_id_number, read_uscc
from domain.customers.related_party import Party, Relation
from domain.kernel import personal_data
from domain.kernel.command import command
from domain.kernel.refusals import InvalidAmount
from domain.kernel.scope import Reach, Through
from domain.kernel.table import MoneyColumn
from domain.organization.department import check_text

if TYPE_CHECKING:
    from domain.kernel.context import Context


class EnterpriseCustomer(Customer):
    """What only an enterprise has. Industry by GB/T 4754, capital in CNY."""

    __tablename__ = "enterprise_customers"
    __mapper_args__ = {
        "polymorphic_identity": CustomerKind.ENTERPRISE,
        "polymorphic_load": "selectin",
    }
    reach: ClassVar[Reach] = Through("id", "customers")

    id: Mapped[UUID] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    legal_representative: Mapped[str] = mapped_column(String(60))
    legal_representative_id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    legal_representative_id_number_masked: Mapped[str | None] = mapped_column(String(40))
    industry_code: Mapped[str | None] = mapped_column(String(10))
    registered_capital: Mapped[Decimal | None] = mapped_column(MoneyColumn)


@command("customers.enterprise_customer.create")
async def create(
    ctx: Context,
    *,
    name: str,
    uscc: str,
    legal_representative: str,
    mobile: str,
    legal_representative_id_number: str | None = None,
    region_code: str | None = None,
    industry_code: str | None = None,
    registered_capital: Decimal | None = None,
    controller_name: str | None = None,
) -> EnterpriseCustomer:
    """Enters an enterprise; its ultimate controller (实际控制人) becomes a related party.

    Raises InvalidUscc, InvalidIdNumber, InvalidMobile, InvalidInput, InvalidAmount, and Duplicate for a code known already.
    """
    if registered_capital is not None and registered_capital < 0:
        raise InvalidAmount("registeredCapital", amount=registered_capital)
    representative = check_text("legalRepresentative", legal_representative, 60)
    id_number = None
    if legal_representative_id_number is not None:
        id_number = read_id_number(legal_representative_id_number, "legalRepresentativeIdNumber").number
    customer = EnterpriseCustomer(
        name=check_text("name", name),
        uscc=read_uscc(uscc),
        legal_representative=representative,
        region_code=check_region(region_code),
        industry_code=None if industry_code is None else check_text("industryCode", industry_code, 10),
        registered_capital=registered_capital,
    )
    personal_data.seal(ctx, customer, "legal_representative_id_number", id_number)
    await enter(ctx, customer, mobile=mobile, identifier="uscc", shown_as=customer.uscc)
    if controller_name is not None:
        controller = check_text("controllerName", controller_name, 60)
        # The controller's own number is known where he represents the enterprise himself.
        own_number = id_number if controller == representative else None
        related_party.attach(ctx, customer.id, Relation.CONTROLLER, Party(controller, id_number=own_number))
    return customer
