"""总分核对 · The proof of the books (decision 0032): every voucher balances and is numbered, balances are the sum of their
lines, the sub-ledger equals the general ledger loan by loan, schedules add up, the cash is that of the company accounts, and
every stored loan is the fold of its events. A difference of 0.01 turns the one proof red whose thing is wrong, and names it.

`differences` looks at all of history and folds every loan. The daily proof looks at the day's vouchers and at the sums of the
stored loans, and folds the loans only where these differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from domain.kernel.command import query
from domain.kernel.refusals import BadInput
from domain.ledger.proof import books, collateral, controls, replay, results
from domain.ledger.proof.difference import ENTRUSTED_CASH, Difference, Proof, causes
from domain.ledger.proof.results import ProofResult
from domain.lending.entrusted_loan import proving

if TYPE_CHECKING:
    from domain.kernel.context import Context

__all__ = ["Difference", "Proof", "ProofResult", "differences", "keep", "of_day", "of_today"]


async def differences(ctx: Context) -> list[Difference]:
    """Everything that does not add up, over all of the lender's history; empty when the books are right."""
    found = await books.differences(ctx, date.min)
    found += await replay.differences(ctx)
    found += await proving.differences(ctx)
    found += await collateral.differences(ctx, date.min)
    accounts = await controls.unlike(ctx)
    return causes(found + _unexplained(accounts, found))


async def of_today(ctx: Context, day: date) -> list[Difference]:
    """What does not add up in the vouchers from `day` on, and in the sums of all loans."""
    found = await books.differences(ctx, day)
    found += await proving.differences(ctx)
    found += await collateral.differences(ctx, day)
    accounts = await controls.unlike(ctx)
    suspects = await controls.suspects(ctx, accounts)
    suspects |= {one.loan_id for one in found if one.loan_id}
    if suspects:
        found += await replay.differences(ctx, sorted(suspects))
    if (accounts and not found) or _only_money_is_missing(found):
        found += await books.balances(ctx, date.min)
    return causes(found + _unexplained(accounts, found))


def _only_money_is_missing(found: Sequence[Difference]) -> bool:
    """Entrusted money is not there, although no voucher or turnover of the day is wrong: one of an earlier day may be."""
    return bool(found) and all(one.about == ENTRUSTED_CASH for one in found)


def _unexplained(accounts: Sequence[controls.Unlike], found: Sequence[Difference]) -> list[Difference]:
    """Control accounts that differ although nothing else does: the last resort, so that nothing is green that is not."""
    return [] if found else [account.difference() for account in accounts]


async def keep(ctx: Context, day: date, found: Sequence[Difference]) -> bool:
    """The step of end of day behind `of_today`: keeps with the day what its proof has shown; answers whether the books are right."""
    await results.keep(ctx, day, found)
    return not found


@query("finance.proof.read")
async def of_day(ctx: Context, *, on: date | None = None) -> list[Any]:
    """What each proof shows, as `ProofResult`: of a closed day what was kept with it, of the open day (default) now.

    Raises BadInput for a day that is not open yet."""
    day = on or ctx.today
    if day > ctx.today:
        raise BadInput("this day is not open yet")
    kept = (await results.of_days(ctx, [day]))[day]
    if kept or day < ctx.today:
        return kept
    return [ProofResult(**row) for row in results.rows(ctx, day, await of_today(ctx, day))]


async def of_days(ctx: Context, days: Sequence[date]) -> dict[date, list[Any]]:
    """What was kept with each of these days."""
    return await results.of_days(ctx, days)
