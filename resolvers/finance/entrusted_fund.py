"""委托资金录入 · Entrusted funds (F16)."""

from __future__ import annotations

from typing import Any

import strawberry

from domain.finance import entrusted_fund, entrusted_lists
from domain.finance.entrusted_fund import Advice
from domain.kernel.paging import Window
from domain.lending.entrusted_loan import queries
from resolvers.kernel import Info, answers_by_key, key, mutation, reads
from schema.configuration.company_account import CompanyAccount
from schema.finance.entrusted_fund import (
    ConfirmEntrustedFundInput,
    EntrustedFund,
    EntrustedFundConnection,
    EntrustedFundPayload,
    EntrustedFundStatement,
    EntrustedFundStatementLine,
    RecordEntrustedFundInput,
    RejectEntrustedFundInput,
    ReturnEntrustedFundInput,
)
from schema.kernel import ID, Date, Money
from schema.lending.entrusted_loan import EntrustedContract
from schema.organization.employee import Employee
from schema.post_loan.customer_account import CustomerAccount


@strawberry.type
class EntrustedFundQueries:
    @reads(entrusted_lists.funds)
    async def entrusted_funds(
        self,
        info: Info,
        entrusted_contract_id: ID | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EntrustedFundConnection:
        """委托资金 What came in and went back, newest first."""
        page = await entrusted_lists.funds(
            await info.context.reading(),
            columns=EntrustedFund.columns(),
            window=Window(first, after, last, before),
            contract_id=key(entrusted_contract_id, "EntrustedContract"),
        )
        return EntrustedFundConnection.of(EntrustedFund, page)

    @reads(queries.statement)
    async def entrusted_fund_statement(
        self,
        info: Info,
        entrusted_contract_id: ID,
        first_day: Date | None = None,
        last_day: Date | None = None,
    ) -> EntrustedFundStatement | None:
        """委托资金对账单 What moved a fund, by default in the year up to today; null where I may not see the contract."""
        found = await queries.statement(
            await info.context.reading(),
            contract_id=key(entrusted_contract_id, "EntrustedContract"),
            first=first_day,
            last=last_day,
        )
        if found is None:
            return None
        return EntrustedFundStatement(
            first=found.first,
            last=found.last,
            opening=Money(found.opening),
            closing=Money(found.closing),
            lines=[
                EntrustedFundStatementLine(
                    on=line.on,
                    value_date=line.value_date,
                    movement=line.movement,
                    amount=Money(line.amount),
                    balance=Money(line.balance),
                    voucher_number=line.voucher,
                )
                for line in found.lines
            ],
        )


@strawberry.type
class EntrustedFundMutations:
    @mutation(entrusted_fund.record)
    async def record_entrusted_fund(self, info: Info, input: RecordEntrustedFundInput) -> EntrustedFundPayload:
        """委托资金录入 Enter money that the entrustor has paid in, for a second person to confirm."""
        row = await entrusted_fund.record(
            info.context.ctx,
            entrusted_contract_id=key(input.entrusted_contract_id, "EntrustedContract"),
            advice=_advice(input),
            payer_name=input.payer_name,
            source_proof=input.source_proof,
            idempotency_key=input.idempotency_key,
        )
        return EntrustedFundPayload(fund=EntrustedFund.of(row))

    @mutation(entrusted_fund.give_back)
    async def return_entrusted_fund(self, info: Info, input: ReturnEntrustedFundInput) -> EntrustedFundPayload:
        """转付委托资金 Enter money that goes to the entrustor, for a second person to confirm."""
        row = await entrusted_fund.give_back(
            info.context.ctx,
            entrusted_contract_id=key(input.entrusted_contract_id, "EntrustedContract"),
            advice=_advice(input),
            customer_account_id=key(input.customer_account_id, "CustomerAccount"),
            idempotency_key=input.idempotency_key,
        )
        return EntrustedFundPayload(fund=EntrustedFund.of(row))

    @mutation(entrusted_fund.confirm)
    async def confirm_entrusted_fund(self, info: Info, input: ConfirmEntrustedFundInput) -> EntrustedFundPayload:
        """委托资金确认 The money is on the bank's statement: it is posted."""
        row = await entrusted_fund.confirm(
            info.context.ctx, fund_id=key(input.fund_id, "EntrustedFund"), comment=input.comment
        )
        return EntrustedFundPayload(fund=EntrustedFund.of(row))

    @mutation(entrusted_fund.reject)
    async def reject_entrusted_fund(self, info: Info, input: RejectEntrustedFundInput) -> EntrustedFundPayload:
        """委托资金拒绝 It is not on the bank's statement, or was entered wrongly."""
        row = await entrusted_fund.reject(
            info.context.ctx, fund_id=key(input.fund_id, "EntrustedFund"), comment=input.comment
        )
        return EntrustedFundPayload(fund=EntrustedFund.of(row))


def _advice(input: Any) -> Advice:
    return Advice(
        amount=input.amount,
        value_date=input.value_date,
        company_account_id=key(input.company_account_id, "CompanyAccount"),
        bank_reference=input.bank_reference,
        purpose=input.purpose,
    )


answers_by_key("EntrustedFund.entrusted_contract", EntrustedContract)
answers_by_key("EntrustedFund.company_account", CompanyAccount)
answers_by_key("EntrustedFund.customer_account", CustomerAccount)
answers_by_key("EntrustedFund.entered_by", Employee)
answers_by_key("EntrustedFund.decided_by", Employee)
