"""Loans of the golden files and of the laws, as terms and events."""

import json
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from domain.calculation.allocation import Component
from domain.calculation.loan.events import Event, PayOut, Receipt
from domain.calculation.loan.terms import LoanTerms
from domain.calculation.money import fen
from domain.calculation.schedule import Basis, Method, PlannedInstallment, PlanTerms

GOLDEN = Path(__file__).parents[2] / "golden"
S01_START = date(2026, 1, 15)


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def day(text: str) -> date:
    return date.fromisoformat(text)


def eod_case(case_id: str) -> dict[str, Any]:
    return next(case for case in golden("eod")["cases"] if case["id"] == case_id)


def eod_terms(case: Mapping[str, Any]) -> LoanTerms:
    """The installments of an E case are given, not computed."""
    given, policy = case["loan"], case["policy"]
    start = day(given["value_date"])
    balance, rows = fen(given["principal"]), []
    for row in case["installments"]:
        balance -= fen(row["principal"])
        rows.append(
            PlannedInstallment(
                seq=row["seq"],
                start_date=start,
                due_date=day(row["due_date"]),
                principal=fen(row["principal"]),
                interest=fen(row["interest"]),
                balance_after=balance,
            )
        )
        start = day(row["due_date"])
    plan = PlanTerms(
        principal=fen(given["principal"]),
        annual_rate=Fraction(given["annual_rate"]),
        method=Method(given["method"]),
        value_date=day(given["value_date"]),
        basis=Basis(given["interest_basis"]),
        due_dates=tuple(row.due_date for row in rows),
    )
    return LoanTerms(
        plan=plan,
        installments=tuple(rows),
        penalty_multiplier=Fraction(policy["penalty_multiplier"]),
        compound=policy["compound"],
        grace_days=policy["grace_days"],
        order=tuple(Component(code.upper()) for code in policy["order"]),
        non_accrual_after=policy["non_accrual_after_dpd"],
    )


def eod_events(case: Mapping[str, Any]) -> list[Event]:
    """The pay-out and the receipts. An UNAPPLIED payment is what the fold itself does with kept money."""
    receipts = [
        paid(payment["date"], payment["amount"]) for payment in case["payments"] if payment["source"] == "RECEIPT"
    ]
    return [pay_out(case["loan"]["value_date"], case["loan"]["principal"]), *receipts]


def pay_out(on: str, amount: str) -> PayOut:
    return PayOut(id=f"pay-out {on}", value_date=day(on), amount=fen(amount))


def paid(on: str, amount: str, **more: Any) -> Receipt:
    return Receipt(**{"id": f"receipt {on}", "value_date": day(on), "amount": fen(amount)} | more)


def s01_terms(**changes: Any) -> LoanTerms:
    """100,000.00 over 12 months at 12 %, equal installments; plan fields and loan terms may be changed."""
    plan: dict[str, Any] = {
        "principal": 10_000_000,
        "annual_rate": Fraction(12, 100),
        "method": Method.EQUAL_INSTALLMENT,
        "value_date": S01_START,
        "periods": 12,
    }
    plan |= {name: changes.pop(name) for name in list(changes) if name in PlanTerms.__dataclass_fields__}
    return LoanTerms(plan=PlanTerms(**plan), penalty_multiplier=Fraction(3, 2), **changes)


def s01_paid(count: int) -> list[Event]:
    """The pay-out of S01 and that many installments, each paid on its due date."""
    rows = next(case for case in golden("schedules")["cases"] if case["id"] == "S01")["rows"]
    return [pay_out("2026-01-15", "100000.00"), *(paid(row["due_date"], row["payment"]) for row in rows[:count])]
