"""抵押: made by one, registered by another, ranked, held beside the balance sheet, released when nothing is owed (F24)."""

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

import pytest

from domain.collateral import mortgage
from domain.collateral.mortgage import Mortgage, MortgageState, Wanted, check_asset, check_settled
from domain.home.pending_task import Task
from domain.kernel.context import Context
from domain.kernel.paging import Window
from domain.kernel.refusals import (
    DebtNotSettled,
    Denied,
    Duplicate,
    InvalidAmount,
    InvalidInput,
    InvalidState,
    NotFound,
    SamePerson,
)
from domain.kernel.table import uuid7
from domain.ledger import journal
from domain.ledger.journal import Voucher, VoucherLine
from domain.ledger.proof import differences, of_today
from domain.lending.loan_contract import ContractState
from domain.workflow import definition
from domain.workflow.instance import Decision
from domain.workflow.terms import ApprovedTerms
from tests.support.actors import LenderAtWork, a_lender
from tests.support.client import statements
from tests.support.lending import decide, task_on
from tests.support.loans import Lending, lending_at
from tests.support.mortgages import HOUSE, made, registered

TODAY = date(2025, 1, 1)
SHORT = {"amount": "12000.00", "periods": 3}


@pytest.fixture
async def lending(lender: LenderAtWork) -> Lending:
    return await lending_at(lender)


@pytest.fixture
async def loan_id(lending: Lending) -> UUID:
    return await lending.pay_out()


async def row(lender: LenderAtWork, key: UUID) -> Any:
    (found,) = await lender.rows(Mortgage, Mortgage.id == key)
    return found


async def lines(lender: LenderAtWork, key: UUID) -> list[tuple[str, str, UUID | None, D, D]]:
    """The lines of all vouchers about a mortgage, in the order of posting."""
    vouchers = await lender.rows(Voucher, Voucher.reference_id == key)
    return [
        (voucher.kind, line.account, line.sub_id, line.debit, line.credit)
        for voucher in sorted(vouchers, key=lambda one: one.sequence)
        for line in await lender.rows(VoucherLine, VoucherLine.voucher_id == voucher.id)
    ]


async def held(lender: LenderAtWork) -> tuple[D, D]:
    async with lender.system.reading() as ctx:
        return await journal.balance(ctx, "9004"), await journal.balance(ctx, "9999")


async def proved(lender: LenderAtWork) -> list[str]:
    async with lender.system.reading() as ctx:
        return [*map(str, await differences(ctx)), *map(str, await of_today(ctx, ctx.today))]


async def counts(lender: LenderAtWork) -> tuple[int, ...]:
    return tuple([len(await lender.rows(table)) for table in (Mortgage, Voucher, Task)])


async def page(ctx: Context, window: Window | None = None, **wanted: Any) -> Sequence[Any]:
    async with ctx.reading() as reading:
        found = await mortgage.page(
            reading, columns=list(Mortgage.__table__.c), window=window or Window(), wanted=Wanted(**wanted)
        )
        return found.rows


async def standing(lender: LenderAtWork, *keys: UUID) -> list[tuple[int, D] | None]:
    async with lender.auditor.reading() as ctx:
        found = await mortgage.standing(ctx, keys)
    return [(found[key].rank, found[key].cover) if key in found else None for key in keys]


async def settle(lending: Lending, loan_id: UUID) -> None:
    """Everything is paid today."""
    await lending.receive(loan_id, "100000.00", prepayment="SETTLE")


async def registering(who: Context, key: UUID, number: str = "证明-1", on: date = TODAY) -> Mortgage:
    return await mortgage.register(who, mortgage_id=key, registration_number=number, registered_on=on)


# ---------------------------------------------------------------- rules


def test_amounts_above_zero_and_an_appraisal_no_older_than_a_year():
    check_asset(HOUSE, date(2026, 1, 1))
    for today in (date(2026, 1, 2), date(2024, 12, 31)):
        with pytest.raises(InvalidInput):
            check_asset(HOUSE, today)


def test_not_a_fen_may_be_owed():
    check_settled("mortgageId", D("0.00"))
    with pytest.raises(DebtNotSettled) as refused:
        check_settled("mortgageId", D("0.01"))
    assert refused.value.params == {"outstanding": "0.01"}


# ---------------------------------------------------------------- made, registered


async def test_it_is_effective_when_another_person_has_registered_it(lender: LenderAtWork, loan_id: UUID):
    new = await made(lender, loan_id)
    assert (new.number, new.state, await held(lender)) == ("DY-2025-0001", MortgageState.REGISTERING, (D(0), D(0)))
    await registering(lender.risk_officer, new.id)
    now = await row(lender, new.id)
    assert (now.state, now.registered_on, now.registered_by) == (
        MortgageState.EFFECTIVE, TODAY, lender.risk_officer.actor.id,
    )  # fmt: skip
    assert await lines(lender, new.id) == [
        ("MORTGAGE_REGISTERED", "9004", new.id, D("150000.00"), D("0.00")),
        ("MORTGAGE_REGISTERED", "9999", new.id, D("0.00"), D("150000.00")),
    ]
    assert (await held(lender), await proved(lender)) == ((D("150000.00"), D("-150000.00")), [])
    with pytest.raises(InvalidState):
        await registering(lender.risk_officer, new.id)


async def test_what_is_refused_changes_nothing(lender: LenderAtWork, lending: Lending, loan_id: UUID):
    by_risk = await mortgage.create(lender.risk_officer, asset=HOUSE, loan_id=loan_id)
    before = await counts(lender)
    with pytest.raises(SamePerson):
        await registering(lender.risk_officer, by_risk.id)
    with pytest.raises(Denied):
        await registering(lender.account_manager, by_risk.id)
    for changes in ({"number": " "}, {"on": date(2025, 1, 2)}):
        with pytest.raises(InvalidInput):
            await registering(lender.second_risk_officer, by_risk.id, **changes)
    with pytest.raises(Duplicate):
        await made(lender, loan_id)
    for changes in ({"secured_amount": D(0)}, {"appraised_value": D("-0.01")}):
        with pytest.raises(InvalidAmount):
            await made(lender, loan_id, **changes)
    for changes in ({"owner": ""}, {"certificate_number": "\n"}, {"appraised_on": date(2023, 12, 31)}):
        with pytest.raises(InvalidInput):
            await made(lender, loan_id, **changes)
    for given in ({}, {"loan_id": loan_id, "contract_id": uuid7()}):
        with pytest.raises(InvalidInput):
            await mortgage.create(lender.account_manager, asset=HOUSE, **given)
    for given in ({"loan_id": uuid7()}, {"contract_id": uuid7()}):
        with pytest.raises(NotFound):
            await mortgage.create(lender.account_manager, asset=HOUSE, **given)
    with pytest.raises(NotFound):
        await mortgage.create(lender.second_account_manager, asset=HOUSE, loan_id=loan_id)
    assert await counts(lender) == before


async def test_a_second_one_on_the_certificate_ranks_second_and_covers_the_rest(
    lender: LenderAtWork, lending: Lending, loan_id: UUID
):
    first = await registered(lender, loan_id)
    second = await made(lender, await lending.pay_out(), secured_amount=D("90000.00"))
    assert await standing(lender, first.id, second.id) == [(1, D("80000.00")), (2, D("70000.00"))]
    with pytest.raises(Duplicate):
        await registering(lender.risk_officer, second.id, f"证明-{first.number}")
    await registering(lender.risk_officer, second.id, "证明-2")
    assert await standing(lender, first.id, second.id) == [(1, D("80000.00")), (2, D("70000.00"))]
    assert await held(lender) == (D("300000.00"), D("-300000.00"))
    found = await page(lender.auditor, certificate_number=HOUSE.certificate_number)
    assert [one.id for one in found] == [second.id, first.id]


async def test_two_at_once_register_it_once(lender: LenderAtWork, loan_id: UUID):
    new = await made(lender, loan_id)
    both = [registering(who, new.id) for who in (lender.risk_officer, lender.second_risk_officer)]
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidState", "Mortgage"]
    assert (len(await lines(lender, new.id)), await proved(lender)) == (2, [])


# ---------------------------------------------------------------- released


async def test_with_a_fen_outstanding_it_is_not_released(lender: LenderAtWork, lending: Lending):
    loan_id = await lending.pay_out(**SHORT)
    secured = await registered(lender, loan_id)
    await lending.close(date(2025, 2, 28))
    with pytest.raises(DebtNotSettled):
        await mortgage.request_release(lender.account_manager, mortgage_id=secured.id)
    quoted = (await lending.figures(loan_id)).principal_outstanding
    async with lender.system.reading() as ctx:
        owed = await mortgage.outstanding(ctx, secured.contract_id)
    assert quoted == 1_200_000 < owed * 100
    await lending.receive(loan_id, str(owed - D("0.01")), prepayment="REDUCE_INSTALLMENT")
    async with lender.system.reading() as ctx:
        left = await mortgage.outstanding(ctx, secured.contract_id)
    before = await counts(lender)
    assert left == D("0.01")
    with pytest.raises(DebtNotSettled) as refused:
        await mortgage.request_release(lender.account_manager, mortgage_id=secured.id)
    assert refused.value.params == {"outstanding": "0.01"}
    assert (await counts(lender), (await row(lender, secured.id)).state) == (before, MortgageState.EFFECTIVE)


async def test_a_second_person_releases_it_by_the_opposite_voucher(
    lender: LenderAtWork, lending: Lending, loan_id: UUID
):
    secured = await registered(lender, loan_id)
    await settle(lending, loan_id)
    asked = await mortgage.request_release(lender.account_manager, mortgage_id=secured.id, comment="已结清")
    assert (asked.state, asked.comment) == (MortgageState.RELEASING, "已结清")
    assert await proved(lender) == [], "it is held until it is released"
    with pytest.raises(InvalidState):
        await mortgage.request_release(lender.account_manager, mortgage_id=secured.id)
    with pytest.raises(SamePerson):
        await decide(lender.account_manager, secured.id)
    with pytest.raises(InvalidInput):
        await decide(lender.risk_officer, secured.id, terms=ApprovedTerms(amount=D("1.00")))
    await decide(lender.risk_officer, secured.id)
    now = await row(lender, secured.id)
    assert (now.state, now.ended_on) == (MortgageState.RELEASED, TODAY)
    assert (await lines(lender, secured.id))[2:] == [
        ("MORTGAGE_RELEASED", "9999", secured.id, D("150000.00"), D("0.00")),
        ("MORTGAGE_RELEASED", "9004", secured.id, D("0.00"), D("150000.00")),
    ]
    (taken_in, given_out) = sorted(
        await lender.rows(Voucher, Voucher.reference_id == secured.id), key=lambda one: one.sequence
    )
    assert given_out.reverses_id == taken_in.id == now.voucher_id
    assert (await held(lender), await proved(lender), await standing(lender, secured.id)) == ((D(0), D(0)), [], [None])


async def test_refused_it_stands_and_may_be_asked_again(lender: LenderAtWork, lending: Lending, loan_id: UUID):
    secured = await registered(lender, loan_id)
    await settle(lending, loan_id)
    for what in (Decision.REJECT, Decision.RETURN):
        await mortgage.request_release(lender.account_manager, mortgage_id=secured.id)
        await decide(lender.risk_officer, secured.id, what, opinion="资料不全")
        assert (await row(lender, secured.id)).state is MortgageState.EFFECTIVE
    assert (await held(lender), len(await lines(lender, secured.id))) == ((D("150000.00"), D("-150000.00")), 2)


async def test_what_is_owed_again_by_the_decision_is_refused(lender: LenderAtWork, lending: Lending, loan_id: UUID):
    """The receipt that settled the loan never was: the mortgage must not go."""
    secured = await registered(lender, loan_id)
    event_id = await lending.receive(loan_id, "100000.00", prepayment="SETTLE")
    await mortgage.request_release(lender.account_manager, mortgage_id=secured.id)
    await lending.reverse(loan_id, event_id)
    before = await counts(lender)
    with pytest.raises(DebtNotSettled) as refused:
        await decide(lender.risk_officer, secured.id)
    assert refused.value.params == {"outstanding": "100000.00"}
    assert (await counts(lender), (await row(lender, secured.id)).state) == (before, MortgageState.RELEASING)


async def test_a_contract_that_may_still_be_paid_out_keeps_its_security(lender: LenderAtWork, lending: Lending):
    contract = await lending.contract(amount="50000.00", rate="0.12", periods=12, grace_days=0)
    assert contract.state is ContractState.EFFECTIVE
    new = await mortgage.create(lender.account_manager, asset=HOUSE, contract_id=contract.id)
    await registering(lender.risk_officer, new.id)
    with pytest.raises(InvalidState):
        await mortgage.request_release(lender.account_manager, mortgage_id=new.id)


async def test_another_lender_has_another_workflow(
    place: Any, ports: Any, blueprint: Any, lender: LenderAtWork, lending: Lending, loan_id: UUID
):
    """There the general manager releases; at the first lender the risk officer still does."""
    strict = await a_lender(place, ports, blueprint)
    nodes = [{"code": "GENERAL_APPROVAL", "name": "总经理审批", "roles": ["GENERAL_MANAGER"]}]
    await definition.publish(
        strict.tenant_admin, code="MORTGAGE_RELEASE", purpose="MORTGAGE_RELEASE", name="解押审批", nodes=nodes
    )
    theirs = await lending_at(strict)
    for at, paid, who in ((theirs, await theirs.pay_out(), "general_manager"), (lending, loan_id, "risk_officer")):
        secured = await registered(at.lender, paid)
        await settle(at, paid)
        await mortgage.request_release(at.lender.account_manager, mortgage_id=secured.id)
        task = await task_on(at.lender.system, secured.id)
        assert task.node == ("GENERAL_APPROVAL" if at is theirs else "RELEASE_APPROVAL")
        await decide(getattr(at.lender, who), secured.id)
        assert (await row(at.lender, secured.id)).state is MortgageState.RELEASED


# ---------------------------------------------------------------- lists


async def test_pages_are_of_one_statement_and_of_what_one_may_see(
    lender: LenderAtWork, lending: Lending, loan_id: UUID
):
    async def cost() -> tuple[int, int]:
        async with lender.auditor.reading() as ctx:
            columns = list(Mortgage.__table__.c)
            with statements() as seen:
                found = await mortgage.page(ctx, columns=columns, window=Window(), wanted=Wanted())
            with statements() as ranked:
                await mortgage.standing(ctx, [one.id for one in found.rows])
            return len(seen), len(ranked)

    first = await registered(lender, loan_id)
    assert await cost() == (1, 1)
    others = [await registered(lender, await lending.pay_out()) for _ in range(3)]
    assert await cost() == (1, 1)
    newest = [one.id for one in reversed([first, *others])]
    assert [one.id for one in await page(lender.account_manager)] == newest
    assert await page(lender.second_account_manager) == []
    assert [one.id for one in await page(lender.auditor, Window(first=2))] == newest[:2]
    for wanted in ({"loan_id": loan_id}, {"contract_id": first.contract_id}, {"customer_id": first.customer_id}):
        assert [one.id for one in await page(lender.auditor, **wanted)] == [first.id]
    assert await page(lender.auditor, states=[MortgageState.RELEASED]) == []
