"""客户 · Customer: what individuals and enterprises have in common, and who manages whom (F07, F08).

One row in `customers` for every customer and a row with the same id in the table of its kind. Personal data is sealed.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from domain.calculation.identifiers import IdNumber, check_id_number, check_mobile, check_uscc
from domain.kernel import personal_data
from domain.kernel.command import command, lock
from domain.kernel.context import ActorKind
from domain.kernel.numbering import numbered
from domain.kernel.refusals import Duplicate, InvalidIdNumber, InvalidInput, InvalidMobile, InvalidUscc
from domain.kernel.scope import Managed, Reach
from domain.kernel.table import Keyed, choice

if TYPE_CHECKING:
    from domain.kernel.context import Context


class CustomerKind(StrEnum):
    """个人 or 企业."""

    INDIVIDUAL = "INDIVIDUAL"
    """个人 A natural person."""
    ENTERPRISE = "ENTERPRISE"
    """企业 A company."""


class Customer(Keyed):
    """A customer of any kind. Managers see their own; `co_manager_id` is the second account manager, if there is one."""

    __tablename__ = "customers"
    __table_args__ = (Index("ix_customers_name", "name_sort", "id"),)
    __mapper_args__ = {"polymorphic_on": "kind"}
    reach: ClassVar[Reach] = Managed()

    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[CustomerKind] = mapped_column(choice(CustomerKind))
    name: Mapped[str] = mapped_column(String(100))
    name_sort: Mapped[str] = mapped_column(String(400))
    mobile_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    mobile_fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    mobile_masked: Mapped[str] = mapped_column(String(40))
    region_code: Mapped[str | None] = mapped_column(String(6))
    manager_id: Mapped[UUID | None] = mapped_column(index=True)
    co_manager_id: Mapped[UUID | None] = mapped_column(index=True)
    department_id: Mapped[UUID | None] = mapped_column(index=True)


# --------------------------------------------------------------------------- rules

REGION = re.compile(r"[1-9][0-9]{5}")


def sort_key(name: str) -> str:
    """The name in pinyin, so that lists come in the order of Chinese dictionaries: 张三 → `zhang san`."""
    from pypinyin import lazy_pinyin  # its dictionary takes a second to load: most processes never name anybody

    return " ".join(lazy_pinyin(name)).lower()


def check_region(code: str | None) -> str | None:
    """A region of GB/T 2260 (six digits), or none. Raises InvalidInput."""
    if code is not None and not REGION.fullmatch(code):
        raise InvalidInput("regionCode", zh="行政区划代码应为六位数字。", en="A region code has six digits.")
    return code


def read_id_number(text: str, field: str | tuple[str, ...] = "idNumber") -> IdNumber:
    """A resident ID number and what it tells. Raises InvalidIdNumber."""
    try:
        return check_id_number(text)
    except ValueError as error:
        raise InvalidIdNumber(field) from error


def read_uscc(text: str, field: str | tuple[str, ...] = "uscc") -> str:
    """A unified social credit code in its plain form. Raises InvalidUscc."""
    try:
        return check_uscc(text)
    except ValueError as error:
        raise InvalidUscc(field) from error


def read_mobile(text: str, field: str | tuple[str, ...] = "mobile") -> str:
    """A mobile number in its plain form. Raises InvalidMobile."""
    try:
        return check_mobile(text)
    except ValueError as error:
        raise InvalidMobile(field) from error


# --------------------------------------------------------------------------- commands


async def enter(ctx: Context, customer: Customer, *, mobile: str, identifier: str, shown_as: str) -> None:
    """Gives a new customer its number, manager and sort key and stores it; part of the commands that create customers.

    The maker of a customer manages it. Raises InvalidMobile, and Duplicate for an identifier this lender has already."""
    customer.name_sort = sort_key(customer.name)
    customer.number = await numbered(ctx, "KH")
    personal_data.seal(ctx, customer, "mobile", read_mobile(mobile))
    if ctx.actor.kind is ActorKind.STAFF:
        customer.manager_id, customer.department_id = ctx.actor.id, ctx.actor.department_id
    ctx.add(customer)
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate(identifier, value=shown_as) from error
    ctx.announce("customers.customer.created", customer)


@command("customers.customer.entrust")
async def entrust(ctx: Context, *, customer_id: UUID, manager_id: UUID) -> Customer:
    """Lets another account manager work with a customer as co-manager; whoever manages it already stays what he is.

    Assigning an application to somebody does this. Raises NotFound."""
    customer = await lock(ctx, Customer, customer_id, "customerId")
    if customer.manager_id is None:
        customer.manager_id = manager_id
    elif customer.manager_id != manager_id:
        customer.co_manager_id = manager_id
    return customer
