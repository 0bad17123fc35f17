"""以物抵债: a mortgaged house pays a loan that is due, at the agreed value; undone, it never did (F24, decision 0039).

100,000.00 at 12 % for 30 days (actual / 360), 20 days late: 1,000.00 of interest (100,000 x 12 % x 30 / 360) and 1,000.00 of
penalty (100,000 x 12 % x 1.5 x 20 / 360) are owed beside the principal. 60,000.00 pay penalty, interest, and 58,000.00 of it.
"""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from domain.calculation.schedule import Basis, Method, PeriodUnit
from domain.collateral import mortgage, repossession
from domain.collateral.mortgage import Mortgage, MortgageState
from domain.collateral.repossession import (
    Agreement,
    RepossessedAsset,
    RepossessionState,
    check_agreed_on,
    check_loan,
    check_value,
)
from domain.configuration.loan_product import LoanKind
from domain.home.pending_task import Task, TaskState
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.refusals import (
    AmountExceedsDue,
    Denied,
    Duplicate,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    SamePerson,
)
from domain.ledger import journal
from domain.ledger.journal import Voucher, VoucherLine
from domain.ledger.proof import differences, of_today
from domain.lending.loan import EventType, Loan, LoanEventRow, LoanState
from domain.lending.loan import preview as previews
from domain.lending.loan_contract import ContractState, LoanContract
from domain.workflow import definition
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import statements
from tests.support.lending import decide
from tests.support.loans import Lending, lending_at
from tests.support.mortgages import made, registered

TODAY, DUE = date(2025, 1, 1), date(2024, 12, 12)
ZERO = D("0.00")
LATE: dict[str, Any] = {
    "amount": "100000.00", "rate": "0.12", "periods": 30, "unit": PeriodUnit.DAY, "method": Method.BULLET,
    "basis": Basis.ACTUAL_360, "compound": False, "value_date": date(2024, 11, 12),
}  # fmt: skip
AGREED = Agreement(amount=D("60000.00"), agreed_on=date(2024, 12, 20), agreement_number="抵债-1")


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


@pytest.fixture
async def loan_id(lending: Lending) -> UUID:
    return await lending.pay_out(**LATE)


@pytest.fixture
async def house(lender: LenderAtWork, loan_id: UUID) -> Mortgage:
    return await registered(lender, loan_id)


async def ask(
    lender: LenderAtWork, house: Mortgage, loan_id: UUID, by: Context | None = None, **changes: Any
) -> RepossessedAsset:
    who = by or lender.post_loan_officer
    return await repossession.request(
        who, mortgage_id=house.id, loan_id=loan_id, agreement=replace(AGREED, **changes)
    )  # fmt: skip


async def agree(lender: LenderAtWork, subject_id: UUID) -> None:
    await decide(lender.risk_officer, subject_id)
    await decide(lender.general_manager, subject_id)


async def taken_over(lender: LenderAtWork, house: Mortgage, loan_id: UUID, **changes: Any) -> Any:
    asked = await ask(lender, house, loan_id, **changes)
    await agree(lender, asked.id)
    return await row(lender, asked.id)


async def row(lender: LenderAtWork, key: UUID) -> Any:
    (found,) = await lender.rows(RepossessedAsset, RepossessedAsset.id == key)
    return found


async def state_of(lender: LenderAtWork, house: Mortgage) -> MortgageState:
    (found,) = await lender.rows(Mortgage, Mortgage.id == house.id)
    state: MortgageState = found.state
    return state


async def vouchers(lender: LenderAtWork, first: int) -> list[tuple[str, list[tuple[str, UUID | None, D]]]]:
    """Those after the first so many: their kind and lines, a debit above zero."""
    found = sorted(await lender.rows(Voucher), key=lambda one: one.sequence)[first:]
    return [
        (
            voucher.kind,
            [
                (line.account, line.sub_id, line.debit - line.credit)
                for line in sorted(
                    await lender.rows(VoucherLine, VoucherLine.voucher_id == voucher.id), key=lambda one: one.line
                )
            ],
        )
        for voucher in found
    ]


async def trial_balance(lender: LenderAtWork) -> dict[str, D]:
    """Accounts that are not nothing, a debit above zero."""
    async with lender.accountant.reading() as ctx:
        return {one.code: one.debit - one.credit for one in await journal.trial_balance(ctx) if one.debit != one.credit}


async def proved(lender: LenderAtWork) -> list[str]:
    async with lender.system.reading() as ctx:
        return [*map(str, await differences(ctx)), *map(str, await of_today(ctx, ctx.today))]


async def counts(lender: LenderAtWork) -> tuple[int, ...]:
    return tuple([len(await lender.rows(table)) for table in (RepossessedAsset, Voucher, LoanEventRow, Task)])


# ---------------------------------------------------------------- rules


def test_it_is_agreed_after_the_debt_fell_due():
    check_agreed_on(date(2024, 12, 13), DUE, TODAY)
    check_agreed_on(TODAY, DUE, TODAY)
    for day in (DUE, date(2025, 1, 2)):
        with pytest.raises(InvalidInput) as refused:
            check_agreed_on(day, DUE, TODAY)
        assert refused.value.params == {"matured_on": "2024-12-12", "today": "2025-01-01"}


def test_the_value_is_no_more_than_is_owed():
    check_value(D("0.01"), D("0.01"))
    with pytest.raises(AmountExceedsDue) as refused:
        check_value(D("0.02"), D("0.01"))
    assert refused.value.params == {"asked": "0.02", "due": "0.01"}
    with pytest.raises(InvalidAmount):
        check_value(ZERO, D("1.00"))


def test_a_loan_of_ones_own_in_the_books_and_secured_by_it():
    key, other = UUID(int=1), UUID(int=2)
    check_loan(
        "loanId", Loan(contract_id=key, state=LoanState.OVERDUE, kind=LoanKind.NORMAL), Mortgage(contract_id=key)
    )
    for contract, kind in ((other, LoanKind.NORMAL), (key, LoanKind.ENTRUSTED)):
        with pytest.raises(InvalidInput):
            check_loan(
                "loanId", Loan(contract_id=contract, state=LoanState.OVERDUE, kind=kind), Mortgage(contract_id=key)
            )
    for state in (LoanState.SETTLED, LoanState.WRITTEN_OFF):
        with pytest.raises(InvalidState):
            check_loan("loanId", Loan(contract_id=key, state=state, kind=LoanKind.NORMAL), Mortgage(contract_id=key))


# ---------------------------------------------------------------- by hand


async def test_a_house_at_60_000_pays_penalty_interest_and_58_000_of_the_principal(
    lender: LenderAtWork, lending: Lending, loan_id: UUID, house: Mortgage
):
    asked = await ask(lender, house, loan_id)
    assert (asked.number, asked.state) == ("DZ-2025-0001", RepossessionState.IN_REVIEW)
    before = await trial_balance(lender)
    assert (before["130302"], before["9004"]) == (D("100000.00"), D("150000.00"))
    posted = len(await lender.rows(Voucher))
    await decide(lender.risk_officer, asked.id)
    assert await trial_balance(lender) == before, "one of two has agreed"
    await decide(lender.general_manager, asked.id)

    assert await vouchers(lender, posted) == [
        (
            "RECEIPT",
            [
                ("1441", asked.id, D("60000.00")),
                ("113201", loan_id, D("-1000.00")),
                ("113202", loan_id, D("-1000.00")),
                ("130302", loan_id, D("-58000.00")),
            ],
        ),
        ("MORTGAGE_REPOSSESSED", [("9999", house.id, D("150000.00")), ("9004", house.id, D("-150000.00"))]),
    ]
    gone = ("113201", "113202", "9004", "9999")
    assert await trial_balance(lender) == {
        **{code: amount for code, amount in before.items() if code not in gone},
        "1441": D("60000.00"),
        "130302": D("42000.00"),
    }
    held = await row(lender, asked.id)
    assert (held.state, held.effective_on, held.decided_by) == (
        RepossessionState.HELD, TODAY, lender.general_manager.actor.id,
    )  # fmt: skip
    async with lender.auditor.reading() as ctx:
        paid = (await repossession.paid(ctx, [asked.id]))[asked.id]
    assert [(line.seq, line.component, line.amount) for line in paid.lines] == [
        (1, "PENALTY", D("1000.00")), (1, "INTEREST", D("1000.00")), (1, "PRINCIPAL", D("58000.00")),
    ]  # fmt: skip
    event = (await lending.events(loan_id))[-1]
    assert (event.type, event.id, event.payload["asset_id"], event.company_account_id) == (
        EventType.RECEIPT, held.event_id, str(asked.id), None,
    )  # fmt: skip
    assert (await state_of(lender, house), await proved(lender)) == (MortgageState.REPOSSESSED, [])


async def test_undone_it_never_was_and_the_mortgage_stands_again(
    lender: LenderAtWork, lending: Lending, loan_id: UUID, house: Mortgage
):
    before = await trial_balance(lender)
    held = await taken_over(lender, house, loan_id)
    with pytest.raises(InvalidInput):
        await repossession.request_reversal(lender.post_loan_officer, asset_id=held.id)
    asked = {"asset_id": held.id, "comment": "协议无效"}
    await repossession.request_reversal(lender.post_loan_officer, **asked)
    with pytest.raises(InvalidState):
        await repossession.request_reversal(lender.post_loan_officer, **asked)
    with pytest.raises(SamePerson):
        await decide(lender.post_loan_officer, held.id)
    await decide(lender.general_manager, held.id, Decision.REJECT, opinion="协议有效")
    assert (await row(lender, held.id)).state is RepossessionState.HELD
    await repossession.request_reversal(lender.post_loan_officer, **asked)
    posted = len(await lender.rows(Voucher))
    await decide(lender.general_manager, held.id)
    assert await vouchers(lender, posted) == [
        (
            "REVERSAL",
            [
                ("113201", loan_id, D("1000.00")),
                ("113202", loan_id, D("1000.00")),
                ("130302", loan_id, D("58000.00")),
                ("1441", held.id, D("-60000.00")),
            ],
        ),
        ("MORTGAGE_RESTORED", [("9004", house.id, D("150000.00")), ("9999", house.id, D("-150000.00"))]),
    ]
    assert (await trial_balance(lender), await state_of(lender, house)) == (before, MortgageState.EFFECTIVE)
    assert ((await row(lender, held.id)).state, await proved(lender)) == (RepossessionState.REVERSED, [])
    again = await taken_over(lender, house, loan_id)
    assert (again.number, again.state, await proved(lender)) == ("DZ-2025-0002", RepossessionState.HELD, [])


async def test_at_all_that_is_owed_it_settles_loan_and_contract(
    lender: LenderAtWork, lending: Lending, loan_id: UUID, house: Mortgage
):
    with pytest.raises(AmountExceedsDue) as refused:
        await ask(lender, house, loan_id, amount=D("102000.01"))
    assert refused.value.params == {"asked": "102000.01", "due": "102000.00"}
    await taken_over(lender, house, loan_id, amount=D("102000.00"))
    loan = await lending.loan(loan_id)
    (contract,) = await lender.rows(LoanContract, LoanContract.id == loan.contract_id)
    assert (loan.state, contract.state) == (LoanState.SETTLED, ContractState.SETTLED)
    await lending.close(TODAY)
    assert await proved(lender) == []


# ---------------------------------------------------------------- refused


async def test_what_is_refused_changes_nothing(lender: LenderAtWork, lending: Lending, loan_id: UUID, house: Mortgage):
    other = await lending.pay_out(**LATE)
    second = await registered(lender, other)  # on the same certificate
    waiting = await made(lender, loan_id, certificate_number="不动产权第0000002号")
    running = await lending.pay_out(**LATE | {"value_date": TODAY})
    theirs = await registered(lender, running, certificate_number="不动产权第0000003号")
    before = await counts(lender)
    for mortgaged, on, changes, refusal in (
        (house, loan_id, {"agreed_on": DUE}, InvalidInput),
        (house, loan_id, {"agreement_number": " "}, InvalidInput),
        (house, loan_id, {"amount": ZERO}, InvalidAmount),
        (house, other, {}, InvalidInput),
        (second, other, {}, InvalidInput),
        (waiting, loan_id, {}, InvalidState),
        (theirs, running, {"agreed_on": TODAY}, InvalidInput),
    ):
        with pytest.raises(refusal):
            await ask(lender, mortgaged, on, **changes)
    for person in ("account_manager", "cashier", "accountant", "risk_officer", "auditor"):
        with pytest.raises(Denied):
            await ask(lender, house, loan_id, by=getattr(lender, person))
    with pytest.raises(NotFound):
        await ask(lender, Mortgage(id=loan_id), loan_id)
    assert await counts(lender) == before


async def test_nobody_agrees_alone_and_what_is_rejected_or_withdrawn_changes_nothing(
    lender: LenderAtWork, loan_id: UUID, house: Mortgage
):
    posted = len(await lender.rows(Voucher))
    withdrawn = await ask(lender, house, loan_id)
    with pytest.raises(InvalidState):
        await ask(lender, house, loan_id)
    with pytest.raises(SamePerson):
        await decide(lender.post_loan_officer, withdrawn.id)
    with pytest.raises(InvalidInput):
        await decide(lender.risk_officer, withdrawn.id, terms=ApprovedTerms(amount=D("1.00")))
    await repossession.withdraw(lender.post_loan_officer, asset_id=withdrawn.id)
    with pytest.raises(InvalidState):
        await repossession.withdraw(lender.post_loan_officer, asset_id=withdrawn.id)
    rejected = await ask(lender, house, loan_id)
    await decide(lender.risk_officer, rejected.id, Decision.REJECT, opinion="估值过高")
    assert [(await row(lender, one.id)).state for one in (withdrawn, rejected)] == [
        RepossessionState.WITHDRAWN, RepossessionState.REJECTED,
    ]  # fmt: skip
    assert (len(await lender.rows(Voucher)), await state_of(lender, house)) == (posted, MortgageState.EFFECTIVE)
    assert await lender.rows(Task, Task.state == TaskState.OPEN) == []


async def test_what_has_changed_since_the_request_is_checked_again(
    lender: LenderAtWork, lending: Lending, loan_id: UUID, house: Mortgage
):
    asked = await ask(lender, house, loan_id)
    await lending.receive(loan_id, "42000.01")
    await decide(lender.risk_officer, asked.id)
    before = await counts(lender)
    with pytest.raises(AmountExceedsDue) as refused:
        await decide(lender.general_manager, asked.id)
    assert refused.value.params == {"asked": "60000.00", "due": "59999.99"}
    assert (await counts(lender), (await row(lender, asked.id)).state) == (before, RepossessionState.IN_REVIEW)


async def test_two_at_once_take_it_over_once(lender: LenderAtWork, loan_id: UUID, house: Mortgage):
    """Two ask, then two houses' worth of decisions race for one debt of 102,000.00."""
    both = [ask(lender, house, loan_id) for _ in range(2)]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidState", "RepossessedAsset"]
    shed = await registered(lender, loan_id, certificate_number="不动产权第0000002号")
    others = [*(one.id for one in await lender.rows(RepossessedAsset)), (await ask(lender, shed, loan_id)).id]
    for key in others:
        await decide(lender.risk_officer, key)
    decisions = [decide(lender.general_manager, key) for key in others]
    ended = await asyncio.gather(*decisions, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in ended) == ["AmountExceedsDue", "Task"]
    assert ((await trial_balance(lender))["1441"], await proved(lender)) == (D("60000.00"), [])


async def test_it_does_not_stand_again_where_the_asset_was_mortgaged_anew(
    lender: LenderAtWork, loan_id: UUID, house: Mortgage
):
    held = await taken_over(lender, house, loan_id)
    await registered(lender, loan_id)
    await repossession.request_reversal(lender.post_loan_officer, asset_id=held.id, comment="协议无效")
    before = await counts(lender)
    with pytest.raises(Duplicate):
        await decide(lender.general_manager, held.id)
    assert (await counts(lender), (await row(lender, held.id)).state) == (before, RepossessionState.HELD)


# ---------------------------------------------------------------- shown beforehand, another lender, lists


async def test_a_preview_is_what_is_booked_then(lender: LenderAtWork, loan_id: UUID, house: Mortgage):
    before = await counts(lender)
    asked = {"mortgage_id": house.id, "loan_id": loan_id, "agreement": AGREED}
    seen = await previews.of_request(lender.post_loan_officer, repossession.request, **asked)
    assert (await counts(lender), seen.final) == (before, False)
    posted = len(await lender.rows(Voucher))
    held = await taken_over(lender, house, loan_id)
    shown = [
        (one.kind, [(line.account, line.debit - line.credit) for line in one.lines]) for one in seen.vouchers
    ]  # fmt: skip
    booked = await vouchers(lender, posted)
    assert shown == [(kind, [(code, amount) for code, _, amount in lines]) for kind, lines in booked]
    assert held.number == "DZ-2025-0001", "the preview has used no number"


async def test_another_lender_has_another_workflow(
    place: Any, ports: Any, blueprint: Any, lender: LenderAtWork, loan_id: UUID, house: Mortgage
):
    """There the business manager agrees alone; at the first lender it takes two others."""
    quick = await a_lender(place, ports, blueprint)
    nodes = [{"code": "BUSINESS_APPROVAL", "name": "业务主管审批", "roles": ["BUSINESS_MANAGER"]}]
    await definition.publish(
        quick.tenant_admin, code="REPOSSESSION", purpose="REPOSSESSION", name="抵债审批", nodes=nodes
    )
    theirs = await (await lending_at(quick)).pay_out(**LATE)
    asked = await ask(quick, await registered(quick, theirs), theirs)
    await decide(quick.business_manager, asked.id)
    assert (await row(quick, asked.id)).state is RepossessionState.HELD
    with pytest.raises(NotFound):
        await ask(lender, house, theirs)
    ours = await ask(lender, house, loan_id)
    with pytest.raises(NotFound):
        await decide(lender.business_manager, ours.id)


async def test_pages_and_what_was_paid_are_of_one_statement_each(lender: LenderAtWork, lending: Lending):
    async def cost(who: Context) -> tuple[int, int, int]:
        async with who.reading() as ctx:
            with statements() as seen:
                found = await repossession.page(ctx, columns=list(RepossessedAsset.__table__.c), window=Window())
            with statements() as more:
                paid = await repossession.paid(ctx, [one.id for one in found.rows])
            return len(paid), len(seen), len(more)

    for number in (1, 2, 3):
        late = await lending.pay_out(**LATE)
        secured = await registered(lender, late, certificate_number=f"不动产权第000000{number}号")
        await taken_over(lender, secured, late)
        assert await cost(lender.auditor) == (number, 1, 1)
    assert (await cost(lender.second_account_manager))[0] == 0
    async with lender.auditor.reading() as ctx:
        columns = list(RepossessedAsset.__table__.c)
        of_loan = await repossession.page(ctx, columns=columns, window=Window(), loan_id=late)
        reversed_ones = await repossession.page(
            ctx, columns=columns, window=Window(), states=[RepossessionState.REVERSED]
        )
        left = await mortgage.standing(ctx, [secured.id])
    assert ([one.loan_id for one in of_loan.rows], reversed_ones.rows, left) == ([late], [], {})
