"""Two lenders side by side, each after the same busy day, and somebody at each who may do everything."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from domain.kernel.context import Context, DataScope
from domain.kernel.permissions import PERMISSIONS
from resolvers.kernel.ids import decode
from schema.kernel.entity import ENTITIES
from schema.kernel.node import global_id
from schema.root import build
from tenancy.naming import quote
from tests.acceptance.entrusting import PRODUCT, entrusted
from tests.acceptance.journey import Journey, PaidLoan
from tests.support.actors import LenderAtWork
from tests.support.client import Api, Client
from tests.support.customers import credit_code, id_number
from tests.support.loans import A21, Lending, provide

OPENED = date(2026, 1, 15)
_names = itertools.count(1)


@dataclass
class Neighbour:
    """A lender, its people at their screens, the loan they paid out, and the work that mutations can be tried on."""

    journey: Journey
    loan: PaidLoan
    work: dict[str, dict[str, str]]

    @property
    def lender(self) -> LenderAtWork:
        return self.journey.lender

    @property
    def api(self) -> Api:
        return self.journey.api

    @property
    def almighty(self) -> Client:
        """Somebody of the lender's staff with every permission that staff can hold, and the widest scope."""
        return self.acting(almighty(self.lender, self.lender.account_manager))

    @property
    def almighty_checker(self) -> Client:
        """The same, but not the one who made everything, who may therefore decide nothing."""
        return self.acting(almighty(self.lender, self.lender.risk_officer))

    def acting(self, ctx: Context) -> Client:
        """A client under a name of its own, since names are shared with the neighbour."""
        return self.api.acting(f"{self.lender.lender.code}.{next(_names)}", ctx)

    async def sql(self, statement: str) -> list[Any]:
        """Rows as the owner of the tables sees them, whatever the grants."""
        async with self.lender.platform.owner.begin() as connection:
            await connection.execute(text(f"set local search_path = {quote(self.lender.lender.schema)}"))
            found = await connection.execute(text(statement))
            return list(found.all()) if found.returns_rows else []

    async def fingerprint(self) -> dict[str, str]:
        """A hash of the rows of each table."""
        names = [row[0] for row in await self.sql(TABLES.format(schema=self.lender.lender.schema))]
        hashes = ", ".join(
            f"(select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {quote(name)} t)"
            for name in names
        )
        (row,) = await self.sql(f"select {hashes}")
        return dict(zip(names, row, strict=True))

    async def ids(self) -> dict[str, str]:
        """The global id of one object of each type that the API offers: the loan's customer, the account manager, the latest."""
        keys = {}
        for name in offered():
            first, *others = ENTITIES[name].tables
            joined = "".join(f" join {quote(other)} using (id)" for other in others)
            keys[name] = f"(select id from {quote(first)}{joined} order by id desc limit 1)"
        (row,) = await self.sql(f"select {', '.join(keys.values())}")
        found = {name: global_id(name, key) for name, key in zip(keys, row, strict=True) if key}
        manager = self.lender.account_manager.actor
        return found | {
            "Employee": global_id("Employee", manager.id),
            "Department": global_id("Department", str(manager.department_id)),
            "LoanProduct": self.journey.products["[]"],
            "IndividualCustomer": self.loan.customer,
            "Loan": self.loan.id,
            "CompanyAccount": self.journey.account,
        }


TABLES = "select table_name from information_schema.tables where table_schema = '{schema}' order by 1"


def offered() -> list[str]:
    """The names of all types of the API that are rows."""
    return [name for name in ENTITIES if name in build()._schema.type_map]


def almighty(lender: LenderAtWork, person: Context) -> Context:
    """This person, with what all others may do as well."""
    everything = frozenset(name for name in PERMISSIONS if not name.startswith("identity."))
    roles = frozenset().union(*(ctx.actor.role_ids for ctx in lender.people.values()))
    return replace(person, actor=replace(person.actor, permissions=everything, scope=DataScope.TENANT, role_ids=roles))


async def _entrusted(journey: Journey) -> dict[str, dict[str, str]]:
    """An entrusted contract with its loan, money of it that nobody has confirmed yet, and a fee that is owed; the ids that
    the operations on them need."""
    account = journey.account
    work = await entrusted(journey)
    await work.came_in("2500000.00")
    await work.lent("2000000.00")
    journey.account = account
    await work.came_in("1000000.00", confirmed=False)
    await journey.act(
        "cashier", "recordEntrustedFee", "fee { id }", entrustedContractId=work.id, amount="100.00", reason="查询费"
    )  # fmt: skip
    its = {"CompanyAccount": work.company_account, "CustomerAccount": work.entrustors_account}
    return {
        "createLoanApplication": {"LoanProduct": await journey.product(**PRODUCT), "IndividualCustomer": work.borrower},
        "entrustedContracts": {
            "entrustedContracts.filter.entrustorId": work.entrustor,
            "entrustedContracts.filter.borrowerId": work.borrower,
        },
        "recordEntrustedFund": its,
        "returnEntrustedFund": its,
        "settleEntrustedFee": its,
    }


async def busy_day(journey: Journey) -> tuple[PaidLoan, dict[str, dict[str, str]]]:
    """Something of everything: a loan paid out and paid on, one overdue, work in every state, and the dictionaries touched.

    Answers the loan, and for each mutation that needs work in a certain state the ids of it by type."""
    act = journey.act
    lines = await _facilities(journey)
    loan = await journey.paid("王芳")
    kept = (await journey.received(loan.id, "500.00", OPENED))["id"]
    refund = (await act("cashier", "requestRefund", "refund { id }", receiptId=kept, amount="100.00"))["id"]
    await journey.decide("business_manager", refund)
    lost, doomed, mortgaged = await _lost(journey)
    collateral = await _collateral(journey, mortgaged)
    provision = await act("accountant", "runProvision", "run { id }", month=str(OPENED), reason="补提")
    await journey.decide("general_manager", provision["id"])
    await journey.entered(loan.id, "400.00", OPENED)
    waiver = {"loanId": loan.id, "component": "INTEREST", "installmentSeq": 3, "amount": "10.00", "reason": "住院"}
    await act("account_manager", "requestInterestWaiver", "waiver { id }", **waiver)
    customer = await journey.customer("李雷")
    account = await journey.customer_account(customer, "李雷")
    payable = (await journey.signed(await journey.approved(customer)))["disbursements"][0]["id"]
    await act("accountant", "reviewDisbursement", "disbursement { id }", disbursementId=payable)
    contract = (await journey.prepared(await journey.approved(await journey.customer("韩梅"))))["id"]
    await act("account_manager", "acknowledgeCostSheet", "contract { id }", contractId=contract)
    reviewing = await journey.reviewing(await journey.customer("周杰"))
    submitted = await journey.submitted(await journey.customer("吴用"))
    investigating, offered_back = [await _assigned(journey, name) for name in ("郑和", "冯唐")]
    await act("account_manager", "acceptLoanApplication", "application { id }", applicationId=investigating)
    await _dictionaries(journey, loan)
    by_days = {"periodUnit": "DAY", "methods": ["BULLET"], "interestBasis": "ACTUAL_360"}
    short = await journey.paid("张伟", periods=1, method="BULLET", product=by_days)
    cheaper = {"loanId": short.id, "type": "RATE", "annualRate": "0.108", "reason": "客户等级 A"}
    await act("account_manager", "requestAmendment", "amendment { id }", **cheaper)
    await journey.drafted(await journey.customer("赵敏"))
    entrusting = await _entrusted(journey)
    await journey.close(OPENED + timedelta(days=2))
    return loan, {
        **lines,
        **entrusting,
        **collateral,
        "payDisbursement": {"Disbursement": payable, "CustomerAccount": account},
        "requestRefund": {"Receipt": kept},
        "payRefund": {"Refund": refund},
        "recordRecovery": {"Loan": lost.id},
        "requestWriteOff": {"Loan": doomed.id},
        "writeOffs": {"Loan": lost.id, "IndividualCustomer": lost.customer},
        "writtenOffRegister": {"IndividualCustomer": lost.customer},
        "contractAmendments": {"Loan": short.id, "IndividualCustomer": short.customer},
        "signContract": {"LoanContract": contract},
        "assignLoanApplication": {"LoanApplication": submitted},
        "refuseLoanApplication": {"LoanApplication": offered_back},
        "submitSurveyReport": {"LoanApplication": investigating},
        "decideTask": {"Task": await journey.task_on("risk_officer", reviewing)},
        "changeEmployeeRoles": {"Employee": global_id("Employee", journey.lender.second_account_manager.actor.id)},
    }


async def _facilities(journey: Journey) -> dict[str, dict[str, str]]:
    """One facility given back, one frozen, and one drawn on; the ids that the mutations on facilities need."""
    kind = {"kind": "REVOLVING", "methods": ["INTEREST_ONLY"], "interestBasis": "ACTUAL_360", "settlementDay": 20}
    product = await journey.product(**kind)
    customer = await journey.customer("宋江")
    asked = {
        "customerId": customer, "productId": product, "limit": "200000.00", "annualRate": "0.12", "endsOn": "2026-12-31",
        "maxPeriods": 12, "lendingMode": "CREDIT", "purposeCode": "WORKING_CAPITAL", "purpose": "备货",
    }  # fmt: skip
    ids = [
        (await journey.act("account_manager", "applyCreditFacility", "facility { id }", **asked))["id"]
        for _ in range(3)
    ]
    draft, frozen, drawn_on = ids
    await journey.decide("risk_officer", draft, "RETURN")
    for granted in (frozen, drawn_on):
        await journey.decide("risk_officer", granted)
        await journey.decide("business_manager", granted)
    await journey.act("risk_officer", "freezeCreditFacility", "facility { id }", facilityId=frozen, reason="核实")
    await journey.act("account_manager", "drawDown", "application { id }", facilityId=drawn_on, amount="50000.00")
    review = {"opinion": "良好", "outcome": "KEEP"}
    await journey.act("risk_officer", "reviewCreditFacility", "facility { id }", facilityId=drawn_on, **review)
    return {
        "applyCreditFacility": {"LoanProduct": product},
        "resubmitCreditFacility": {"CreditFacility": draft},
        "withdrawCreditFacility": {"CreditFacility": draft},
        "unfreezeCreditFacility": {"CreditFacility": frozen},
        "creditFacilities": {"LoanProduct": product, "IndividualCustomer": customer},
        "creditFacilityTotals": {"LoanProduct": product, "IndividualCustomer": customer},
    }


@dataclass(frozen=True)
class Lost:
    """A loan of long ago on which nothing was paid, whose it is, and under which contract."""

    id: str
    customer: str
    contract: str


async def _lost(journey: Journey) -> tuple[Lost, Lost, Lost]:
    """One that is given up in the books, one that could be, and one for which collateral can be taken over."""
    lending = Lending(journey.lender, decode(journey.account)[1], customers=900)
    await provide(journey.lender, "200000.00")
    found = []
    for _ in range(3):
        key = await lending.pay_out(value_date=OPENED - timedelta(days=394), **A21)
        row = await lending.loan(key)
        customer, contract = (
            global_id("IndividualCustomer", row.customer_id),
            global_id("LoanContract", row.contract_id),
        )
        found.append(Lost(global_id("Loan", key), customer, contract))
    grounds = {"condition": "FRAUD_CLOSED", "evidence": ["结案通知书"], "responsibility": "无责任人"}
    asked = await journey.act("post_loan_officer", "requestWriteOff", "writeOff { id }", loanId=found[0].id, **grounds)
    await journey.decide("general_manager", asked["id"])
    return found[0], found[1], found[2]


async def _collateral(journey: Journey, loan: Lost) -> dict[str, dict[str, str]]:
    """Mortgages of a loan: one not registered yet, one effective, one to be taken over, one that was; the ids that the
    operations on them need."""
    made = {"assetType": "RESIDENTIAL", "owner": "王芳", "securedAmount": "100000.00", "appraisedValue": "150000.00",
            "appraisedOn": str(OPENED), "loanId": loan.id}  # fmt: skip
    mortgages, assets = [], []
    for number in range(4):
        given = made | {"certificateNumber": f"不动产权第{number}号"}
        mortgages.append((await journey.act("account_manager", "createMortgage", "mortgage { id }", **given))["id"])
    for number, key in enumerate(mortgages[1:]):
        proof = {"mortgageId": key, "registrationNumber": f"证明第{number}号", "registeredOn": str(OPENED)}
        await journey.act("risk_officer", "registerMortgage", "mortgage { id }", **proof)
    agreed = {"loanId": loan.id, "amount": "1000.00", "agreedOn": str(OPENED), "agreementNumber": "抵债-1"}
    for key in mortgages[2:]:
        given = agreed | {"mortgageId": key}
        assets.append((await journey.act("post_loan_officer", "disposeCollateral", "asset { id }", **given))["id"])
    for role in ("risk_officer", "general_manager"):
        await journey.decide(role, assets[1])
    its = {"Loan": loan.id, "IndividualCustomer": loan.customer, "LoanContract": loan.contract}
    free = {"Mortgage": mortgages[1]}
    return {
        "registerMortgage": {"Mortgage": mortgages[0]},
        "requestMortgageRelease": free,
        "disposeCollateral": its | free,
        "mortgages": its,
        "repossessedAssets": its,
        "withdrawRepossession": {"RepossessedAsset": assets[0]},
        "requestRepossessionReversal": {"RepossessedAsset": assets[1]},
    }


async def _assigned(journey: Journey, name: str) -> str:
    application = await journey.submitted(await journey.customer(name))
    manager = global_id("Employee", journey.lender.account_manager.actor.id)
    given = {"applicationId": application, "accountManagerId": manager}
    await journey.act("business_manager", "assignLoanApplication", "application { id }", **given)
    return application


async def _dictionaries(journey: Journey, loan: PaidLoan) -> None:
    act = journey.act
    await act(
        "account_manager", "createEnterpriseCustomer", "customer { id }", name="成都测试有限公司", uscc=credit_code(7),
        legalRepresentative="孙立", mobile="13900000007", regionCode="999999",
    )  # fmt: skip
    party = {"customerId": loan.customer, "relation": "SPOUSE", "name": "孙丽", "idNumber": id_number(77)}
    await act("account_manager", "addRelatedParty", "relatedParty { id }", **party)
    blacklisted = {"name": "钱五", "idNumber": id_number(78), "reason": "伪造流水"}
    await act("risk_officer", "blacklistParty", "party { id }", **blacklisted)
    tomorrow = str(OPENED + timedelta(days=9))
    proposed = {"code": "age_maximum", "value": 64, "effectiveFrom": tomorrow, "reason": "收紧"}
    await act("tenant_admin", "proposeParameter", "parameter { id }", **proposed)
    await act("tenant_admin", "saveCalendarDay", "day { id }", on=tomorrow, kind="HOLIDAY", name="司庆")
    own = {"code": "OBSERVER", "name": "观察员", "permissions": ["lending.loan.read"], "dataScope": "SELF"}
    await act("tenant_admin", "createRole", "role { id }", **own)
    await act("tenant_admin", "createDepartment", "department { id }", code="EAST", name="东区")
