"""记账 · What a loan's fold says the ledger must hold, and the voucher that brings it there (domain.md §5).

Every account is a cumulative balance since the loan's first day, so a voucher is always a difference of two of these, at
the booking date: a late event, a reversal and a night are all the same sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from domain.calculation import entrusted
from domain.calculation.allocation import Component
from domain.calculation.entrusted import Agency
from domain.calculation.loan.balances import balances
from domain.calculation.loan.fold import Fold
from domain.calculation.loan.lines import MovementKind
from domain.calculation.money import yuan
from domain.calculation.vat import Rates, output_tax
from domain.ledger import account
from domain.ledger.journal import Line

Ledger = dict[str, int]
"""Account → fen, debit above zero."""

ACCRUAL_ACCOUNTS = frozenset(
    {
        account.INTEREST_RECEIVABLE,
        account.PENALTY_RECEIVABLE,
        account.COMPOUND_RECEIVABLE,
        account.INTEREST_INCOME,
        account.PENALTY_INCOME,
        account.COMPOUND_INCOME,
        account.VAT_ON_INTEREST,
        account.VAT_ON_FEES,
        account.OUTPUT_VAT,
    }
)
OFF_BALANCE_ACCOUNTS = frozenset({account.OFF_BALANCE_INTEREST, account.OFF_BALANCE_CONTRA})
PRINCIPAL_ACCOUNTS = frozenset(
    {
        account.LOAN_NORMAL,
        account.LOAN_OVERDUE,
        account.LOAN_EXTENDED,
        account.LOAN_NON_ACCRUAL,
        account.LOAN_IMPAIRED,
    }
)


def ledger(fold: Fold | None, day: date, vat: Rates | Agency) -> Ledger:
    """What the accounts hold of a loan at the close of `day`; nothing before its first day. `vat`: the rates that hold for it,
    or that it is a loan of entrusted money."""
    if fold is None or day < fold.positions[0].from_date:
        return {}
    if isinstance(vat, Agency):
        return _entrusted(fold, day, vat)
    sums, figures = balances(fold, day), fold.position_on(day)
    on_balance = not figures.non_accrual
    tax = output_tax(fold, day, vat)
    return {
        account.BANK: sums.bank,
        account.LOAN_NORMAL: sums.principal_normal,
        account.LOAN_OVERDUE: sums.principal_overdue,
        account.LOAN_EXTENDED: sums.principal_extended,
        account.LOAN_NON_ACCRUAL: sums.principal_non_accrual,
        account.LOAN_IMPAIRED: sums.principal_impaired,
        account.INTEREST_RECEIVABLE: (figures.accrued_interest + figures.due_unpaid_interest) * on_balance,
        account.PENALTY_RECEIVABLE: figures.penalty * on_balance,
        account.COMPOUND_RECEIVABLE: figures.compound * on_balance,
        account.FEE_RECEIVABLE: sums.fees_receivable,
        account.KEPT_MONEY: -sums.kept_money,
        account.INTEREST_INCOME: -sums.interest_income,
        account.PENALTY_INCOME: -sums.penalty_income,
        account.COMPOUND_INCOME: -sums.compound_income,
        account.FEE_INCOME: -sums.fee_income,
        account.VAT_ON_INTEREST: tax.interest,
        account.VAT_ON_FEES: tax.fees,
        account.OUTPUT_VAT: -tax.total,
        account.ALLOWANCE: sums.allowance_used,
        account.RECOVERED_INTEREST: -sums.recovered_interest,
        account.OFF_BALANCE_INTEREST: sums.off_balance_interest,
        account.CLAIMED_PRINCIPAL: sums.claimed_principal,
        account.CLAIMED_INTEREST: sums.claimed_interest,
        account.OFF_BALANCE_CONTRA: -sums.off_balance_interest - sums.claimed_principal - sums.claimed_interest,
    }


def _entrusted(fold: Fold, day: date, agency: Agency) -> Ledger:
    """委托贷款 · Money in and out, and nothing that accrues: what came in beside principal is the entrustor's (2314), less the
    lender's fee (6021). Overdue or not, the principal stands in one account."""
    sums, figures = balances(fold, day), fold.position_on(day)
    collected = sum(
        movement.amount
        for movement in fold.movements
        if movement.kind is MovementKind.ALLOCATED
        and movement.component is not Component.PRINCIPAL
        and movement.value_date <= day
    )
    fee, tax = entrusted.handling_fee(fold, day, agency.fee_rate), entrusted.output_tax(fold, day, agency)
    return {
        account.BANK: sums.bank,
        account.ENTRUSTED_LOAN: figures.principal_outstanding,
        account.KEPT_MONEY: -sums.kept_money,
        account.ENTRUSTED_FUND: fee - collected,
        account.FEE_INCOME: -fee,
        account.VAT_ON_FEES: tax,
        account.OUTPUT_VAT: -tax,
    }


def change(before: Ledger, after: Ledger) -> Ledger:
    """What is to be posted on top of `before`; accounts that stay as they are left out."""
    moved = {code: after.get(code, 0) - before.get(code, 0) for code in {**before, **after}}
    return {code: amount for code, amount in moved.items() if amount}


def lines(
    amounts: Mapping[str, int],
    *,
    loan_id: UUID | None,
    company_account_id: UUID | None = None,
    entrusted_contract_id: UUID | None = None,
    asset_id: UUID | None = None,
) -> list[Line]:
    """Voucher lines; money at the bank belongs to a company account, an entrustor's to his contract, all else to the loan.

    With `asset_id` no money moved: what would be it at the bank is an asset that was taken over (1441)."""
    if asset_id is not None:
        amounts = {account.REPOSSESSED_ASSET if code == account.BANK else code: fen for code, fen in amounts.items()}
    elif amounts.get(account.BANK) and company_account_id is None:
        raise ValueError("money moved at the bank, but no company account is named")
    if amounts.get(account.ENTRUSTED_FUND) and entrusted_contract_id is None:
        raise ValueError("entrusted money moved, but no entrusted contract is named")
    keys = {
        account.BANK: company_account_id,
        account.ENTRUSTED_FUND: entrusted_contract_id,
        account.REPOSSESSED_ASSET: asset_id,
    }
    return [
        Line(
            code,
            debit=yuan(max(amount, 0)),
            credit=yuan(max(-amount, 0)),
            sub_id=keys.get(code, loan_id),
        )
        for code, amount in amounts.items()
    ]


def night(before: Fold, after: Fold, day: date, vat: Rates | Agency) -> tuple[Ledger, dict[str, Ledger]]:
    """A loan carried into `day` without an event: what only accrued, and its own vouchers by kind.

    Only accrual, with the tax on what falls due, goes into the voucher of the product. NON_ACCRUAL changes the side of the
    balance sheet, KEPT_MONEY_APPLIED takes everything of that night together. Principal that moved within 1303 has a voucher
    by where it went: IMPAIRED, with the change of sides NON_ACCRUAL, else TURN_OVERDUE."""
    moved = change(ledger(before, before.until, vat), ledger(after, day, vat))
    crossed = before.positions[-1].non_accrual != after.positions[-1].non_accrual
    if account.KEPT_MONEY in moved:
        return {}, {"KEPT_MONEY_APPLIED": moved}
    own: dict[str, Ledger] = {}
    principal = {code: amount for code, amount in moved.items() if code in PRINCIPAL_ACCOUNTS}
    rest = {code: amount for code, amount in moved.items() if code not in PRINCIPAL_ACCOUNTS}
    if account.LOAN_IMPAIRED in principal:
        own["IMPAIRED"] = principal
    elif account.LOAN_NON_ACCRUAL in principal:
        rest |= principal
    elif principal:
        own["TURN_OVERDUE"] = principal
    if crossed:
        own["NON_ACCRUAL"] = rest
        return {}, own
    accrued = {code: amount for code, amount in rest.items() if code in ACCRUAL_ACCOUNTS | OFF_BALANCE_ACCOUNTS}
    fees = {code: amount for code, amount in rest.items() if code not in accrued}
    if fees:
        own["FEE_DUE"] = fees
    return accrued, own
