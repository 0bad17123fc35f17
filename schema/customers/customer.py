"""客户 · Customers: individuals, enterprises, what both have, and what is created with them (F07, F08)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import strawberry

from domain.calculation import identifiers
from domain.configuration import agreement
from domain.customers import customer, related_party
from schema.kernel import ID, Connection, Date, DateTime, Hidden, Money, Node, Payload, Rate, entity, relation
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount

if TYPE_CHECKING:
    from domain.calculation.identifiers import Sex as Sex
    from domain.configuration.agreement import ConsentType as ConsentType
    from domain.customers.customer import CustomerKind as CustomerKind
    from domain.customers.related_party import Relation as Relation
else:
    Sex = strawberry.enum(identifiers.Sex, description="性别 As the ID number tells.")
    ConsentType = strawberry.enum(agreement.ConsentType, description="授权类型 What a customer agrees to.")
    CustomerKind = strawberry.enum(customer.CustomerKind, description="客户类型 Individual or enterprise.")
    Relation = strawberry.enum(
        related_party.Relation, name="PartyRelation", description="关联关系 How a party is related."
    )

READING = "customers.customer.read"


@strawberry.interface(description="客户 A customer: an individual or an enterprise.")
class Customer(Node):
    number: str
    """编号 The number people read: KH-2026-0001."""
    name: str
    """姓名、名称 Name."""
    kind: CustomerKind
    """类型 Individual or enterprise."""
    region_code: str | None
    """行政区划 Region (GB/T 2260)."""
    created_at: DateTime
    """建档时间 When the customer was entered."""
    manager_id: Hidden[UUID | None]
    co_manager_id: Hidden[UUID | None]

    @relation
    def mobile(self) -> str | None:
        """手机 Mobile number; masked (138****1234) without customers.personal_data."""

    @relation(by="manager_id")
    def manager(self) -> Employee | None:
        """客户经理 The account manager."""

    @relation(by="co_manager_id")
    def co_manager(self) -> Employee | None:
        """协办客户经理 The second account manager, if there is one."""

    @relation
    def accounts(self) -> list[CustomerAccount]:
        """银行卡 The customer's bank accounts."""

    @relation
    def related_parties(self) -> list[RelatedParty]:
        """关联方 Spouse, controller, shareholders."""

    @relation
    def consents(self) -> list[ConsentRecord]:
        """授权记录 What the customer agreed to."""


@entity("customers", "individual_customers", reading=READING)
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


@entity("customers", "enterprise_customers", reading=READING)
class EnterpriseCustomer(Customer):
    """企业客户 A company or other organization."""

    uscc: str
    """统一社会信用代码 Unified social credit code."""
    legal_representative: str
    """法定代表人 Who represents the enterprise."""
    industry_code: str | None
    """行业 Industry (GB/T 4754)."""
    registered_capital: Money | None
    """注册资本 Registered capital, CNY."""


@entity("related_parties", reading=READING)
class RelatedParty(Node):
    """关联方 A party behind a customer; customers with a party in common make a group."""

    relation: Relation
    """关系 Spouse, controller or shareholder."""
    name: str
    """姓名、名称 Name."""
    id_number_masked: str | None
    """身份证号 Masked ID number of a person."""
    uscc: str | None
    """统一社会信用代码 Credit code of an organization."""
    share: Rate | None
    """持股比例 Share of a shareholder."""
    customer_id: Hidden[UUID]


@entity("consent_records", reading=READING)
class ConsentRecord(Node):
    """授权记录 One agreement of a customer to one version of a text."""

    type: ConsentType
    """类型 What it is about."""
    version: int
    """版本 Version of the text."""
    agreed_at: DateTime
    """授权时间 When the customer agreed."""
    withdrawn_at: DateTime | None
    """撤回时间 When the customer took it back; null while it holds."""
    customer_id: Hidden[UUID]


@entity("blacklisted_parties", reading="customers.blacklist.read")
class BlacklistedParty(Node):
    """黑名单 A person or enterprise that gets no loan."""

    name: str
    """姓名、名称 Name."""
    id_number_masked: str | None
    """身份证号 Masked ID number of a person."""
    uscc: str | None
    """统一社会信用代码 Credit code of an enterprise."""
    reason: str
    """原因 Why."""
    until: Date | None
    """截止日 Last day; null for good."""
    removed: bool
    """已移出 True once taken off the list."""


@strawberry.type(description="客户列表 One page of customers.")
class CustomerConnection(Connection[Customer]):
    pass


@strawberry.input(description="客户筛选 Only customers that meet all that is given.")
class CustomerFilter:
    search: str | None = None
    """关键字 Part of the name, its pinyin from the start, or the whole number."""
    id_number: str | None = None
    """身份证号 The whole ID number."""
    uscc: str | None = None
    """统一社会信用代码 The whole credit code."""
    manager_id: ID | None = None
    """客户经理 Managed or co-managed by this employee."""


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


@strawberry.input(description="授权 What the customer agreed to.")
class ConsentInput:
    type: ConsentType
    """类型 What it is about."""
    version: int
    """版本 Version of the text."""


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


@strawberry.input(description="新企业客户 An enterprise customer to enter.")
class CreateEnterpriseCustomerInput:
    name: str
    """名称 Name."""
    uscc: str
    """统一社会信用代码 18 characters with a right check character."""
    legal_representative: str
    """法定代表人 Name of the legal representative."""
    legal_representative_id_number: str | None = None
    """法定代表人身份证号 Stored encrypted."""
    mobile: str
    """手机 Mobile number; stored encrypted."""
    region_code: str | None = None
    """行政区划 Region (GB/T 2260, six digits)."""
    industry_code: str | None = None
    """行业 Industry (GB/T 4754)."""
    registered_capital: Money | None = None
    """注册资本 Registered capital, CNY."""
    controller_name: str | None = None
    """实际控制人 Name of the ultimate controller; becomes a related party."""


@strawberry.type(description="新企业客户结果 The customer entered.")
class CreateEnterpriseCustomerPayload(Payload):
    customer: EnterpriseCustomer | None = None
    """客户 The new customer."""


@strawberry.input(description="新授权 One more consent of a customer.")
class RecordConsentInput:
    customer_id: ID
    """客户 Who agreed."""
    consent: ConsentInput
    """授权 To what."""


@strawberry.input(description="撤回授权 A consent that the customer takes back.")
class WithdrawConsentInput:
    consent_id: ID
    """授权 Which one."""


@strawberry.type(description="授权结果 The consent recorded or withdrawn.")
class ConsentPayload(Payload):
    consent: ConsentRecord | None = None
    """授权 The consent as it is now."""


@strawberry.input(description="新关联方 A related party of a customer. Give the identifier if it is known.")
class AddRelatedPartyInput:
    customer_id: ID
    """客户 Whose party it is."""
    relation: Relation
    """关系 Spouse, controller or shareholder."""
    name: str
    """姓名、名称 Name."""
    id_number: str | None = None
    """身份证号 ID number of a person; stored encrypted."""
    uscc: str | None = None
    """统一社会信用代码 Credit code of an organization."""
    share: Rate | None = None
    """持股比例 Share of a shareholder, above 0 and at most 1."""


@strawberry.type(description="关联方结果 The related party added.")
class RelatedPartyPayload(Payload):
    related_party: RelatedParty | None = None
    """关联方 The new related party."""


@strawberry.input(description="列入黑名单 A party to refuse: one identifier, and why.")
class BlacklistPartyInput:
    name: str
    """姓名、名称 Name."""
    id_number: str | None = None
    """身份证号 ID number of a person; stored encrypted."""
    uscc: str | None = None
    """统一社会信用代码 Credit code of an enterprise."""
    reason: str
    """原因 Why."""
    until: Date | None = None
    """截止日 Last day; for good when left out."""


@strawberry.input(description="移出黑名单 A party to take off the list.")
class UnblacklistPartyInput:
    party_id: ID
    """对象 Which entry."""


@strawberry.type(description="黑名单结果 The entry made or taken off.")
class BlacklistPayload(Payload):
    party: BlacklistedParty | None = None
    """对象 The entry as it is now."""
