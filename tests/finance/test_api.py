"""出纳放款、还款: the whole way of the money through the API, figures, refusals and who sees what."""

import asyncio
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.finance.payment import BankOrder
from domain.kernel.audit import AuditEntry
from domain.kernel.context import Context
from domain.kernel.job import HANDLERS, Job
from resolvers.kernel.ids import decode
from schema.kernel.node import global_id
from tests.support.actors import LenderAtWork
from tests.support.client import Api, KnownPeople, an_app, serving, statements
from tests.support.desk import Desk, a_bank, a_desk, a_key
from tests.support.lending import task_on
from tests.support.loans import Lending, lending_at
from xiaodai.auth.sessions import Sessions
from xiaodai.jobs import queue

DISBURSEMENT = "id number state amount valueDate failureReason loan { number principal }"
PAY = f"""mutation($input: PayDisbursementInput!) {{ payDisbursement(input: $input) {{
  disbursement {{ {DISBURSEMENT} }} userErrors {{ code field params }} }} }}"""
RECEIPT = "id number state amount unapplied loan { number } allocation { installmentSeq component amount }"
ENTER = f"""mutation($input: EnterReceiptInput!) {{ enterReceipt(input: $input) {{
  receipt {{ {RECEIPT} }} userErrors {{ code field params }} }} }}"""
ACT = """mutation($input: ReceiptActionInput!) { NAME(input: $input) {
  receipt { id state unapplied allocation { installmentSeq component amount } reversal { state } }
  userErrors { code field params } } }"""
LATE = [
    {"installmentSeq": 1, "component": "PENALTY", "amount": "78.85"},
    {"installmentSeq": 1, "component": "COMPOUND", "amount": "10.00"},
    {"installmentSeq": 1, "component": "INTEREST", "amount": "1000.00"},
    {"installmentSeq": 1, "component": "PRINCIPAL", "amount": "7796.03"},
]


def pay_input(desk: Desk, **changes: Any) -> dict[str, Any]:
    """As `desk.order`, in the words of the API."""
    return {
        "disbursementId": global_id("Disbursement", desk.pay_out.id),
        "companyAccountId": global_id("CompanyAccount", desk.account.id),
        "customerAccountId": global_id("CustomerAccount", desk.card.id),
        "amount": "100000.00",
        "valueDate": "2025-01-01",
        "idempotencyKey": a_key(),
    } | changes


async def test_a_contract_is_paid_out(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    async with a_bank(tmp_path) as bank:
        ports = desk.with_bank(lender.system, bank).ports
        sessions = KnownPeople(Sessions(lender.platform.catalog, lender.platform.door))
        async with serving(an_app(ports, sessions, catalog=lender.platform.catalog)) as http:
            cashier = Api(http, sessions, lender).acting("cashier", desk.with_bank(lender.cashier, bank))
            (error,) = await cashier.refused(PAY, input=pay_input(desk, amount="90000.00"))
            assert error == {
                "code": "UPFRONT_DEDUCTION",
                "field": ["input", "amount"],
                "params": {"amount": "100000.00", "paid": "90000.00"},
            }
            paying = (await cashier.run(PAY, input=pay_input(desk)))["disbursement"]
            assert (paying["state"], paying["valueDate"], paying["loan"]) == ("PAYING", "2025-01-01", None)
            (error,) = await cashier.refused(PAY, input=pay_input(desk))
            assert error["code"] == "INVALID_STATE"
            await desk.settle(bank)
            document = f"query($id: ID!) {{ node(id: $id) {{ ... on Disbursement {{ {DISBURSEMENT} }} }} }}"
            paid = (await cashier.data(document, id=paying["id"]))["node"]
    assert (paid["state"], paid["loan"]) == ("PAID", {"number": "JJ-2025-0001", "principal": "100000.00"})
    audited = {row.permission for row in await lender.rows(AuditEntry)}
    assert {"finance.disbursement.review", "finance.disbursement.pay", "finance.disbursement.answer"} <= audited


async def test_a_contract_leads_to_its_pay_outs(api: Api, lender: LenderAtWork):
    desk = await a_desk(lender)
    document = """query($id: ID!) { node(id: $id) { ... on LoanContract { disbursements {
        number state reviewer { name } cashier { name } companyAccount { name } slips { name } contract { number } } } } }"""
    contract = global_id("LoanContract", desk.pay_out.contract_id)
    (row,) = (await api.as_("auditor").data(document, id=contract))["node"]["disbursements"]
    assert (row["number"], row["state"], row["cashier"]) == ("FK-2025-0001", "REVIEWED", None)
    assert row["reviewer"]["name"] == lender.accountant.actor.name
    listed = "query($states: [DisbursementState!]) { disbursements(filter: {states: $states}) { totalCount } }"
    assert (await api.as_("cashier").data(listed, states=["REVIEWED"]))["disbursements"]["totalCount"] == 1
    assert (await api.as_("cashier").data(listed, states=["PAID"]))["disbursements"]["totalCount"] == 0
    assert (await api.as_("second_account_manager").data(listed))["disbursements"]["totalCount"] == 0
    cancel = """mutation($input: DisbursementActionInput!) { cancelDisbursement(input: $input) {
        disbursement { state } userErrors { code } } }"""
    wanted = {"disbursementId": global_id("Disbursement", desk.pay_out.id), "comment": "客户放弃"}
    assert (await api.as_("cashier").ask(cancel, input=wanted)).codes == ["FORBIDDEN"]
    assert (await api.as_("accountant").run(cancel, input=wanted))["disbursement"]["state"] == "CANCELLED"


async def test_without_a_bank_link_the_slip_is_asked_for(api: Api, lender: LenderAtWork):
    desk = await a_desk(lender)
    (error,) = await api.as_("cashier").refused(PAY, input=pay_input(desk))
    assert (error["code"], error["field"]) == ("INVALID_INPUT", ["input", "attachmentIds"])
    assert await lender.rows(BankOrder) == []
    foreign = pay_input(desk, attachmentIds=[global_id("Document", desk.card.id)])
    (error,) = await api.as_("cashier").refused(PAY, input=foreign)
    assert error["code"] == "NOT_FOUND"


ASK_AGAIN = f"""mutation($input: AskBankAgainInput!) {{ askBankAgain(input: $input) {{
  disbursement {{ {DISBURSEMENT} }} userErrors {{ code field params }} }} }}"""


class Broken:
    """A bank whose answers the program does not understand."""

    async def query(self, _reference: str) -> Any:
        raise ValueError("not what was agreed")


async def test_the_cashier_has_the_bank_asked_again_when_its_word_was_given_up(
    lender: LenderAtWork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The job ended without an answer: asked again, the order ends, paid once; nothing of it is possible before or after."""
    monkeypatch.setattr(queue, "MOST_ATTEMPTS", 1)
    desk = await a_desk(lender)
    wanted = {"disbursementId": global_id("Disbursement", desk.pay_out.id)}
    async with a_bank(tmp_path) as bank:
        ports = desk.with_bank(lender.system, bank).ports
        sessions = KnownPeople(Sessions(lender.platform.catalog, lender.platform.door))
        async with serving(an_app(ports, sessions, catalog=lender.platform.catalog)) as http:
            api = Api(http, sessions, lender)
            cashier = api.as_("cashier")

            async def refused(state: str) -> None:
                (error,) = await cashier.refused(ASK_AGAIN, input=wanted)
                assert error == {
                    "code": "INVALID_STATE",
                    "field": ["input", "disbursementId"],
                    "params": {"state": state},
                }

            await refused("REVIEWED")
            await cashier.run(PAY, input=pay_input(desk))
            await refused("PAYING")  # the bank is being asked
            await queue.run_due(desk.with_bank(lender.system, Broken()), HANDLERS, most=5)
            assert [row.state for row in await lender.rows(Job, Job.handler == "finance.disbursement.settle")] == [
                "FAILED"
            ]
            assert (await desk.paid()).state == "PAYING"
            for person in ("accountant", "account_manager", "auditor"):
                assert (await api.as_(person).ask(ASK_AGAIN, input=wanted)).codes == ["FORBIDDEN"]
            again = (await cashier.run(ASK_AGAIN, input=wanted))["disbursement"]
            assert (again["state"], again["loan"]) == ("PAYING", None)
            await refused("PAYING")
            await worked_off(desk.with_bank(lender.system, bank))
            assert (await desk.paid()).state == "PAID"
            await refused("PAID")
    assert [order.state for order in await lender.rows(BankOrder)] == ["PAID"]
    assert "finance.disbursement.ask_bank_again" in {row.permission for row in await lender.rows(AuditEntry)}


async def worked_off(system: Context) -> None:
    """Everything that is due, until the bank has decided."""
    for _ in range(100):
        if await queue.run_due(system, HANDLERS, most=20) is None:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the bank decides nothing")


# ---------------------------------------------------------------- receipts


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


async def late_loan(lending: Lending) -> Any:
    """Twenty days past its first due date on 2025-01-01."""
    return await lending.pay_out(value_date=date(2024, 11, 12))


def entry(loan_id: Any, lending: Lending, amount: str, **changes: Any) -> dict[str, Any]:
    key = a_key()
    return {
        "loanId": global_id("Loan", loan_id),
        "amount": amount,
        "valueDate": "2025-01-01",
        "companyAccountId": global_id("CompanyAccount", lending.account_id),
        "payerName": "张三",
        "bankReference": f"REF-{key}",
        "idempotencyKey": key,
    } | changes


def act(name: str) -> str:
    return ACT.replace("NAME", name)


async def test_a_late_installment_is_keyed_posted_and_reversed(api: Api, lender: LenderAtWork, lending: Lending):
    loan_id = await late_loan(lending)
    cashier, accountant = api.as_("cashier"), api.as_("accountant")
    entered = (await cashier.run(ENTER, input=entry(loan_id, lending, "8884.88")))["receipt"]
    assert (entered["number"], entered["state"], entered["unapplied"]) == ("HK-2025-0001", "ENTERED", "0.00")
    assert (entered["allocation"], entered["loan"]) == (LATE, {"number": "JJ-2025-0001"})
    waiting = "{ receiptsToRegister { nodes { number enteredBy { name } } } }"
    offered = (await accountant.data(waiting))["receiptsToRegister"]["nodes"]
    assert offered == [{"number": "HK-2025-0001", "enteredBy": {"name": lender.cashier.actor.name}}]
    assert (await cashier.ask(act("registerReceipt"), input={"receiptId": entered["id"]})).codes == ["FORBIDDEN"]
    action = {"receiptId": entered["id"], "idempotencyKey": a_key()}
    posted = (await accountant.run(act("registerReceipt"), input=action))["receipt"]
    assert (posted["state"], posted["allocation"]) == ("REGISTERED", LATE)
    again = (await accountant.run(act("registerReceipt"), input=action))["receipt"]
    assert again["state"] == "REGISTERED"
    (error,) = await accountant.refused(act("registerReceipt"), input={"receiptId": entered["id"]})
    assert error["code"] == "INVALID_STATE"
    document = """query($id: ID!) { loan(id: $id) { position { overduePrincipal penalty }
        receipts(first: 10) { totalCount nodes { number state } } } }"""
    loan = (await accountant.data(document, id=global_id("Loan", loan_id)))["loan"]
    assert loan == {
        "position": {"overduePrincipal": "88.85", "penalty": "0.00"},
        "receipts": {"totalCount": 1, "nodes": [{"number": "HK-2025-0001", "state": "REGISTERED"}]},
    }
    asked = (await accountant.run(act("requestReceiptReversal"), input={"receiptId": entered["id"]}))["receipt"]
    assert (asked["state"], asked["reversal"]) == ("REGISTERED", {"state": "RUNNING"})
    await decide_reversal(api, lender, entered["id"])
    loan = (await accountant.data(document, id=global_id("Loan", loan_id)))["loan"]
    assert loan["position"] == {"overduePrincipal": "7884.88", "penalty": "78.85"}
    assert loan["receipts"]["nodes"] == [{"number": "HK-2025-0001", "state": "REVERSED"}]


async def decide_reversal(api: Api, lender: LenderAtWork, receipt: str) -> None:
    """The registrar may not, a second accountant may; the task is about the receipt."""
    task = global_id("Task", (await task_on(lender.accountant, decode(receipt)[1])).id)
    subject = "query($id: ID!) { node(id: $id) { ... on Task { type subject { id } } } }"
    found = (await api.as_("second_accountant").data(subject, id=task))["node"]
    assert found == {"type": "APPROVAL", "subject": {"id": receipt}}
    decide = "mutation($input: DecideTaskInput!) { decideTask(input: $input) { task { state } userErrors { code } } }"
    wanted = {"taskId": task, "decision": "APPROVE", "opinion": "同意"}
    assert (await api.as_("accountant").refused(decide, input=wanted))[0]["code"] == "SAME_PERSON"
    await api.as_("second_accountant").run(decide, input=wanted)


async def test_the_preview_and_malformed_requests(api: Api, lending: Lending):
    loan_id = await late_loan(lending)
    preview = """query($input: ReceiptAllocationPreviewInput!) { receiptAllocationPreview(input: $input) {
        unapplied allocation { installmentSeq component amount } } }"""
    wanted = {"loanId": global_id("Loan", loan_id), "amount": "9000.00", "valueDate": "2025-01-01"}
    told = (await api.as_("cashier").data(preview, input=wanted))["receiptAllocationPreview"]
    assert told["allocation"][:3] == LATE[:3]
    assert (told["allocation"][3]["amount"], told["unapplied"]) == ("7884.88", "26.27")
    hidden = await api.as_("second_account_manager").data(preview, input=wanted)
    assert hidden["receiptAllocationPreview"] is None
    cashier = api.as_("cashier")
    assert (await cashier.ask(preview, input=wanted | {"amount": "0.00"})).codes == ["BAD_USER_INPUT"]
    for wrong in ({"amount": "1.005"}, {"amount": "1e30"}, {"loanId": "nonsense"}, {"idempotencyKey": None}):
        assert (await cashier.ask(ENTER, input=entry(loan_id, lending, "1.00") | wrong)).codes == ["BAD_USER_INPUT"]
    (error,) = await cashier.refused(ENTER, input=entry(loan_id, lending, "1.00", valueDate="2025-01-02"))
    assert (error["code"], error["field"]) == ("INVALID_INPUT", ["input", "valueDate"])


async def test_many_receipts_cost_a_fixed_number_of_statements(api: Api, lending: Lending):
    loan_id, cashier = await late_loan(lending), api.as_("cashier")
    document = f"query {{ receipts(first: 50) {{ nodes {{ {RECEIPT} enteredBy {{ name }} }} }} }}"
    counts = []
    for _ in range(2):
        for _ in range(3):
            await cashier.run(ENTER, input=entry(loan_id, lending, "100.00"))
        with statements() as seen:
            await cashier.data(document)
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_receipts_are_found_by_what_is_given(api: Api, lending: Lending):
    loan_id, cashier = await late_loan(lending), api.as_("cashier")
    for reference in ("ABC-1", "ABC-2", "XYZ-1"):
        await cashier.run(ENTER, input=entry(loan_id, lending, "100.00", bankReference=reference))
    document = "query($filter: ReceiptFilter) { receipts(filter: $filter) { nodes { bankReference } } }"

    async def found(**filter: Any) -> list[str]:
        rows = (await cashier.data(document, filter=filter))["receipts"]["nodes"]
        return [row["bankReference"] for row in rows]

    assert await found() == ["XYZ-1", "ABC-2", "ABC-1"]
    assert await found(search="ABC") == ["ABC-2", "ABC-1"]
    assert await found(search="HK-2025-0003") == ["XYZ-1"]
    assert await found(search="%") == []
    assert await found(states=["REGISTERED"]) == []
    assert await found(loanId=global_id("Loan", loan_id), valueDate={"from": "2025-01-01"}) == await found()
    assert await found(valueDate={"to": "2024-12-31"}) == []


PREVIEWED = (
    "preview { final announced loans { stateBefore stateAfter } vouchers { kind entries { account debit credit } } }"
)


async def test_what_a_payment_would_begin_is_shown_first(lender: LenderAtWork, tmp_path: Path):
    desk = await a_desk(lender)
    pay = f"""mutation($input: PayDisbursementInput!) {{ payDisbursement(input: $input, preview: true) {{
      disbursement {{ id }} userErrors {{ code }} {PREVIEWED} }} }}"""
    async with a_bank(tmp_path) as bank:
        ports = desk.with_bank(lender.system, bank).ports
        sessions = KnownPeople(Sessions(lender.platform.catalog, lender.platform.door))
        async with serving(an_app(ports, sessions, catalog=lender.platform.catalog)) as http:
            cashier = Api(http, sessions, lender).acting("cashier", desk.with_bank(lender.cashier, bank))
            given = pay_input(desk)
            (refused,) = (await cashier.data(pay, input=given | {"amount": "90000.00"}))["payDisbursement"][
                "userErrors"
            ]
            assert refused["code"] == "UPFRONT_DEDUCTION"
            shown = (await cashier.data(pay, input=given))["payDisbursement"]
            assert (shown["disbursement"], shown["userErrors"]) == (None, [])
            assert (shown["preview"]["final"], shown["preview"]["loans"]) == (
                False, [{"stateBefore": None, "stateAfter": "ACTIVE"}],
            )  # fmt: skip
            (voucher,) = shown["preview"]["vouchers"]
            assert {(line["debit"], line["credit"]) for line in voucher["entries"]} == {
                ("100000.00", "0.00"), ("0.00", "100000.00"),
            }  # fmt: skip
            paying = (await cashier.data(PAY, input=given))["payDisbursement"]
            assert paying["disbursement"]["state"] == "PAYING", "neither the key nor the order was used up"
