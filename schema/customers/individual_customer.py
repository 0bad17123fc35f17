"""个人客户 · Individual customers (F08)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry

from domain.calculation import identifiers
from schema.customers.consent import ConsentInput
from schema.customers.customer import Customer
from schema.kernel import Date, Money, Payload, entity, relation

if TYPE_CHECKING:
    from domain.calculation.identifiers import Sex as Sex
else:
    Sex = strawberry.enum(identifiers.Sex, description="性别 As the ID number tells.")


@entity("customers", "individual_customers", reading="customers.customer.read")
class IndividualCustomer(Customer):
    """个人客户 A natural person."""

    birth_date: Date
    """出生日期 From the ID number."""
    sex: Sex
    """性别 From the ID number."""
    farmer: bool
    """农户 Whether a farmer; decides tax and reports."""
    employer: str | None
    """工作单位 Where the customer works."""
    monthly_income: Money | None
    """月收入 Income a month, CNY."""

    @relation
    def id_number(self) -> str:
        """身份证号 Masked (510***********1234) without customers.personal_data."""


@strawberry.input(description="配偶 Spouse of an individual customer.")
class SpouseInput:
    name: str
    """姓名 Name."""
    id_number: str
    """身份证号 ID number; stored encrypted."""
    mobile: str | None = None
    """手机 Mobile number; stored encrypted."""


@strawberry.input(description="紧急联系人 Whom to ask when the customer cannot be reached.")
class EmergencyContactInput:
    name: str
    """姓名 Name."""
    relation: str
    """关系 How they are related."""
    mobile: str
    """手机 Mobile number; stored encrypted."""


@strawberry.input(description="新个人客户 An individual customer to enter.")
class CreateIndividualCustomerInput:
    name: str
    """姓名 Name."""
    id_number: str
    """身份证号 18 characters with a right check digit; stored encrypted."""
    mobile: str
    """手机 Mobile number; stored encrypted."""
    address: str | None = None
    """地址 Where the customer lives; stored encrypted."""
    region_code: str | None = None
    """行政区划 Region (GB/T 2260, six digits)."""
    farmer: bool | None = None
    """农户 Whether a farmer."""
    employer: str | None = None
    """工作单位 Where the customer works."""
    monthly_income: Money | None = None
    """月收入 Income a month, CNY."""
    spouse: SpouseInput | None = None
    """配偶 Becomes a related party."""
    emergency_contacts: list[EmergencyContactInput] | None = None
    """紧急联系人 Whom to ask when the customer cannot be reached."""
    consents: list[ConsentInput] | None = None
    """授权 What the customer agreed to, with the version of the text."""


@strawberry.type(description="新个人客户结果 The customer entered.")
class CreateIndividualCustomerPayload(Payload):
    customer: IndividualCustomer | None = None
    """客户 The new customer."""
