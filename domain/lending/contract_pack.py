"""合同文本数据 · What the contract pack is printed from: every figure and word that its templates may use, as texts.

The whole pack of one contract is printed from one value, so contract, note, cost sheet and schedule cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from domain.calculation.allocation import Component
from domain.calculation.amount_in_words import rmb_words
from domain.calculation.entrusted import one_off_fee
from domain.calculation.money import fen, yuan
from domain.calculation.schedule import Basis, Method, PeriodUnit
from domain.configuration.loan_product import LendingMode
from domain.lending.offer import Limits, Offer, Priced

METHODS = {
    Method.EQUAL_INSTALLMENT: "等额本息",
    Method.EQUAL_PRINCIPAL: "等额本金",
    Method.INTEREST_ONLY: "按期付息、到期还本",
    Method.BULLET: "到期一次还本付息",
    Method.EQUAL_PRINCIPAL_EQUAL_INTEREST: "等本等息",
    Method.BALLOON: "气球贷",
    Method.CUSTOM: "按约定计划还款",
}
UNITS = {
    PeriodUnit.DAY: "天",
    PeriodUnit.WEEK: "周",
    PeriodUnit.MONTH: "个月",
    PeriodUnit.QUARTER: "季度",
    PeriodUnit.HALF_YEAR: "个半年",
}
BASES = {Basis.PERIODIC: "按期计息", Basis.ACTUAL_360: "实际天数／360", Basis.ACTUAL_365: "实际天数／365"}
MODES = {
    LendingMode.CREDIT: "信用",
    LendingMode.GUARANTEE: "保证",
    LendingMode.MORTGAGE: "抵押",
    LendingMode.PLEDGE: "质押",
    LendingMode.COMBINED: "组合担保",
}
COMPONENTS = {
    Component.FEE: "费用",
    Component.PENALTY: "罚息",
    Component.COMPOUND: "复利",
    Component.INTEREST: "利息",
    Component.PRINCIPAL: "本金",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrusted:
    """Whose money a contract lends. `contract` is a row of `entrusted_contracts`; `identifier` the entrustor's."""

    contract: Any
    entrustor: str
    identifier_name: str
    identifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What a contract pack says. `product` is a row of `loan_products`; `identifier` is the ID number or credit code,
    `facility` the number of the facility that is drawn on and `entrusted` whose money it is, if there is one."""

    number: str
    lender: str
    borrower: str
    identifier_name: str
    identifier: str
    offer: Offer
    product: Any
    lending_mode: LendingMode
    purpose: str
    conditions: str | None
    facility: str | None
    entrusted: Entrusted | None
    drawn_up_on: date
    priced: Priced
    limits: Limits


def amount_in_words(amount: Decimal) -> str:
    """大写 of an amount in CNY."""
    return rmb_words(fen(amount))


def percent(rate: Decimal | None, places: int = 4) -> str:
    """A fraction as a percentage without zeros at the end: 0.12 → 12%; a rate that is not defined is a dash."""
    if rate is None:
        return "—"
    shown = (rate * 100).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP).normalize()
    return f"{shown:f}%"


def grouped(amount: Decimal) -> str:
    """100000.00 → 100,000.00."""
    return f"{amount:,.2f}"


def data_of(agreed: Agreed) -> dict[str, Any]:
    """The data of all templates of the pack."""
    return {
        "lender": {"name": agreed.lender},
        "borrower": {
            "name": agreed.borrower,
            "identifier_name": agreed.identifier_name,
            "identifier": agreed.identifier,
        },
        "contract": _contract(agreed),
        "entrusted": _entrusted(agreed.entrusted, agreed.offer.amount),
        "cost": _cost(agreed),
        "schedule": _schedule(agreed.priced),
    }


def _contract(agreed: Agreed) -> dict[str, Any]:
    offer, product = agreed.offer, agreed.product
    return {
        "number": agreed.number,
        "amount": grouped(offer.amount),
        "amount_in_words": amount_in_words(offer.amount),
        "periods": offer.periods,
        "period_unit": UNITS[PeriodUnit(product.period_unit)],
        "annual_rate": percent(offer.annual_rate, 6),
        "interest_basis": BASES[Basis(product.interest_basis)],
        "method": METHODS[Method(offer.method)],
        "lending_mode": MODES[agreed.lending_mode],
        "purpose": agreed.purpose,
        "conditions": agreed.conditions,
        "facility": agreed.facility,
        "grace_days": product.grace_days,
        "penalty_multiplier": f"{product.penalty_multiplier.normalize():f}",
        "compound": product.compound,
        "prepayment_fee_rate": percent(product.prepayment_fee_rate),
        "allocation_order": "、".join(COMPONENTS[Component(part)] for part in product.allocation_order),
        "drawn_up_on": agreed.drawn_up_on.isoformat(),
    }


def _entrusted(given: Entrusted | None, lent: Decimal) -> dict[str, Any] | None:
    """委托 · Nothing for a loan of the lender's own; the one-off fee is that on what this contract lends."""
    if given is None:
        return None
    contract = given.contract
    return {
        "number": contract.number,
        "entrustor": given.entrustor,
        "identifier_name": given.identifier_name,
        "identifier": given.identifier,
        "amount": grouped(contract.amount),
        "amount_in_words": amount_in_words(contract.amount),
        "instruction_letter": contract.instruction_letter,
        "purpose": contract.purpose,
        "one_off_fee_rate": percent(contract.one_off_fee_rate, 6),
        "one_off_fee": grouped(yuan(one_off_fee(fen(lent), Fraction(contract.one_off_fee_rate)))),
        "interest_fee_rate": percent(contract.interest_fee_rate, 6),
        "signed_on": contract.signed_on.isoformat(),
    }


def _cost(agreed: Agreed) -> dict[str, Any]:
    cost, limits = agreed.priced.cost, agreed.limits
    return {
        "period_irr": percent(cost.period_irr, 6),
        "apr_nominal": percent(cost.apr_nominal),
        "apr_effective": percent(cost.apr_effective),
        "xirr_act365": percent(cost.xirr_act365),
        "simple_apr_act365": percent(cost.simple_apr_act365),
        "measure": percent(agreed.priced.measure),
        "cap": percent(limits.cap),
        "warn_above": percent(limits.warn_above),
        "exceeds_warning": agreed.priced.exceeds(limits.warn_above),
    }


def _schedule(priced: Priced) -> dict[str, Any]:
    plan = priced.plan
    return {
        "installments": [
            {
                "seq": row.seq,
                "due_date": row.due_date.isoformat(),
                "principal": grouped(yuan(row.principal)),
                "interest": grouped(yuan(row.interest)),
                "payment": grouped(yuan(row.payment)),
                "balance_after": grouped(yuan(row.balance_after)),
            }
            for row in plan.installments
        ],
        "total_principal": grouped(yuan(plan.total_principal)),
        "total_interest": grouped(yuan(plan.total_interest)),
        "total_payment": grouped(yuan(plan.total_payment)),
    }
