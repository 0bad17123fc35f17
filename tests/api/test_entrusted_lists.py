"""Entrusted loans, entrustors, funds and fees with all that a screen shows beside them: the number of rows costs no statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.support.actors import LenderAtWork
from tests.support.client import Api, statements
from tests.support.desk import receive
from tests.support.entrusting import OPENED, Trust, a_trust

LENT_ON = OPENED.replace(year=2024, month=12)
"""A loan of this value date has its first interest due on the day the lender opens."""
A_LOAN = """id number principalOutstanding customer { id name } product { name } manager { name } position { penalty }
            entrustedContract { number entrustor { id name } borrower { name } maker { name } accountManager { name }
              fundBalance outstanding interestSplits { interest handlingFee receipt { number amount } } }"""
LISTS = {
    "entrustedLoans": f"{{ entrustedLoans(first: 20) {{ totalCount nodes {{ {A_LOAN} }} }} }}",
    "entrustors": "{ entrustors { contracts amount lent balance customer { id name mobile } } }",
    "entrustedFees": """{ entrustedFees(first: 20) { totalCount nodes { number amount state way loan { number }
        companyAccount { name } entrustedContract { number entrustor { name } fundBalance } } } }""",
    "entrustedFunds": """{ entrustedFunds(first: 20) { totalCount nodes { number amount enteredBy { name } decidedBy { name }
        companyAccount { name } customerAccount { id } entrustedContract { number entrustor { name } fundBalance } } } }""",
}
STATEMENT = """query($id: ID!) { entrustedFundStatement(entrustedContractId: $id) {
    opening closing lines { on valueDate movement amount balance voucherNumber } } }"""


@dataclass
class Entrusted:
    """Contracts of a lender, each with a loan and all that may be beside it."""

    lender: LenderAtWork
    trusts: list[Trust] = field(default_factory=list)

    async def another(self) -> None:
        beside = self.trusts[0] if self.trusts else None
        trust = await a_trust(self.lender, serial=len(self.trusts) + 1, beside=beside)
        await trust.came_in("1000000.00")
        loan_id = await trust.lend("500000.00", value_date=LENT_ON)
        await receive(self.lender, loan_id, trust.account.id, "4166.67", OPENED, payer_name="王芳")
        await trust.fee_taken()
        await trust.went_back("100.00")
        self.trusts.append(trust)


async def asked(api: Api, document: str, **given: Any) -> tuple[int, Any]:
    with statements() as seen:
        data = await api.as_("accountant").data(document, **given)
    return len(seen), next(iter(data.values()))


async def test_more_rows_are_not_more_statements(api: Api, lender: LenderAtWork) -> None:
    made = Entrusted(lender)
    await made.another()
    one = {name: (await asked(api, document))[0] for name, document in LISTS.items()}
    for _ in range(2):
        await made.another()
    for name, document in LISTS.items():
        count, page = await asked(api, document)
        rows = page if name == "entrustors" else page["nodes"]
        assert len(rows) == {"entrustedFunds": 6}.get(name, 3)
        assert count == one[name], name
    loans = (await asked(api, LISTS["entrustedLoans"]))[1]["nodes"]
    assert [len(loan["entrustedContract"]["interestSplits"]) for loan in loans] == [1] * 3


async def test_more_movements_are_not_more_statements(api: Api, lender: LenderAtWork) -> None:
    made = Entrusted(lender)
    await made.another()
    (trust,) = made.trusts
    document = "{ entrustedContracts { nodes { id } } }"
    contract_id = (await asked(api, document))[1]["nodes"][0]["id"]
    one, short = await asked(api, STATEMENT, id=contract_id)
    for _ in range(4):
        await trust.came_in("10.00")
    count, long = await asked(api, STATEMENT, id=contract_id)
    assert (len(short["lines"]), len(long["lines"])) == (6, 10)
    assert count == one
