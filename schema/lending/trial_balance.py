"""科目余额表 · The trial balance as people read it."""

from __future__ import annotations

import strawberry

from schema.kernel import Money


@strawberry.type(description="科目余额 One account of the trial balance, cumulative.")
class TrialBalanceLine:
    account: str
    """科目 Code; its first four digits are those of the standard."""
    name: str
    """名称 Name of the account."""
    debit: Money
    """借方 All debits up to the day."""
    credit: Money
    """贷方 All credits up to the day."""
