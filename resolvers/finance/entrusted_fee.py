"""委托录入手续费 · Entrusted fees (F17)."""

from __future__ import annotations

import strawberry

from domain.finance import entrusted_fee, entrusted_lists
from domain.kernel.paging import Window
from resolvers.kernel import Info, answers_by_key, key, mutation, reads
from schema.configuration.company_account import CompanyAccount
from schema.finance.entrusted_fee import (
    ConfirmEntrustedFeeInput,
    EntrustedFee,
    EntrustedFeeConnection,
    EntrustedFeeFilter,
    EntrustedFeePayload,
    RecordEntrustedFeeInput,
    SettleEntrustedFeeInput,
)
from schema.lending.entrusted_loan import EntrustedContract
from schema.lending.loan import Loan


@strawberry.type
class EntrustedFeeQueries:
    @reads(entrusted_lists.fees)
    async def entrusted_fees(
        self,
        info: Info,
        filter: EntrustedFeeFilter | None = None,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> EntrustedFeeConnection:
        """委托手续费 Fees that entrustors owe or have paid, newest first; the share of interest is in `interestSplits`."""
        wanted = filter or EntrustedFeeFilter()
        page = await entrusted_lists.fees(
            await info.context.reading(),
            columns=EntrustedFee.columns(),
            window=Window(first, after, last, before),
            contract_id=key(wanted.entrusted_contract_id, "EntrustedContract"),
            states=wanted.states,
        )
        return EntrustedFeeConnection.of(EntrustedFee, page)


@strawberry.type
class EntrustedFeeMutations:
    @mutation(entrusted_fee.record)
    async def record_entrusted_fee(self, info: Info, input: RecordEntrustedFeeInput) -> EntrustedFeePayload:
        """委托录入手续费 A further fee that the entrustor owes from today on."""
        row = await entrusted_fee.record(
            info.context.ctx,
            entrusted_contract_id=key(input.entrusted_contract_id, "EntrustedContract"),
            amount=input.amount,
            reason=input.reason,
        )
        return EntrustedFeePayload(fee=EntrustedFee.of(row))

    @mutation(entrusted_fee.settle)
    async def settle_entrusted_fee(self, info: Info, input: SettleEntrustedFeeInput) -> EntrustedFeePayload:
        """手续费结算 Enter how a fee was paid, for a second person to confirm."""
        row = await entrusted_fee.settle(
            info.context.ctx,
            fee_id=key(input.fee_id, "EntrustedFee"),
            way=input.way,
            company_account_id=key(input.company_account_id, "CompanyAccount"),
            bank_reference=input.bank_reference,
            idempotency_key=input.idempotency_key,
        )
        return EntrustedFeePayload(fee=EntrustedFee.of(row))

    @mutation(entrusted_fee.confirm)
    async def confirm_entrusted_fee(self, info: Info, input: ConfirmEntrustedFeeInput) -> EntrustedFeePayload:
        """手续费确认 A fee was paid and is income, or was not and is owed still."""
        row = await entrusted_fee.confirm(
            info.context.ctx, fee_id=key(input.fee_id, "EntrustedFee"), paid=input.paid, comment=input.comment
        )
        return EntrustedFeePayload(fee=EntrustedFee.of(row))


answers_by_key("EntrustedFee.entrusted_contract", EntrustedContract)
answers_by_key("EntrustedFee.loan", Loan)
answers_by_key("EntrustedFee.company_account", CompanyAccount)
