"""日终计提 · The accrual of a night for all loans on which nothing else happens: one statement, one voucher per product.

The night of D is the line of the row valid on D − 1, read at D less read at D − 1 (loan_engine.md §6). Loans that must be
looked at on D are left out: they are folded, and what they accrued is posted then (`book.carry`). What an entrusted loan
earns is the entrustor's: it accrues nothing here.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text

from domain.ledger import account, journal
from domain.lending.loan import book
from domain.lending.loan.posting import Ledger

if TYPE_CHECKING:
    from domain.kernel.context import Context

# Each part finds its loans by itself: a list of them that both shared would be compared with each overdue line, and how many
# there are the server cannot know of a lender that grew in a minute.
_NIGHT = text(
    """
    with running as (
        select l.product_id, p.non_accrual,
               sum(div(2 * (acc_num + acc_step * (:day - from_date)) + acc_den, 2 * acc_den)
                 - div(2 * (acc_num + acc_step * (:before - from_date)) + acc_den, 2 * acc_den)) as interest
        from positions p join loans l on l.id = p.loan_id
        where p.known_to = 'infinity' and p.from_date <= :before and p.to_date > :before and p.acc_step <> 0
          and (l.next_action_on is null or l.next_action_on > :day) and l.kind <> 'ENTRUSTED'
        group by l.product_id, p.non_accrual
    ), defaults as (
        select l.product_id, p.non_accrual,
               sum(div(2 * (o.pen_num + o.pen_step * (:day - o.from_date)) + o.den, 2 * o.den)
                 - div(2 * (o.pen_num + o.pen_step * (:before - o.from_date)) + o.den, 2 * o.den)) as penalty,
               sum(div(2 * (o.comp_num + o.comp_step * (:day - o.from_date)) + o.den, 2 * o.den)
                 - div(2 * (o.comp_num + o.comp_step * (:before - o.from_date)) + o.den, 2 * o.den)) as compound
        from overdue_lines o join loans l on l.id = o.loan_id
        join positions p on p.loan_id = l.id and p.known_to = 'infinity' and p.from_date <= :before and p.to_date > :before
        where o.known_to = 'infinity' and o.from_date <= :before and o.to_date > :before
          and (l.next_action_on is null or l.next_action_on > :day) and l.kind <> 'ENTRUSTED'
        group by l.product_id, p.non_accrual
    )
    select product_id, non_accrual, coalesce(interest, 0) as interest, coalesce(penalty, 0) as penalty,
           coalesce(compound, 0) as compound
    from running full join defaults using (product_id, non_accrual)
    order by product_id
    """
)


async def post_night(ctx: Context) -> None:
    """Posts what the night before the open day brought: one voucher per product.

    Runs while the day is turned, so that no payment stands between the two readings of a line."""
    days = {"day": ctx.today, "before": ctx.today - timedelta(days=1)}
    found = (await ctx.connection.execute(_NIGHT, days)).all()
    products: dict[UUID, Ledger] = defaultdict(lambda: defaultdict(int))
    for row in found:
        grown = _grown(int(row.interest), int(row.penalty), int(row.compound), non_accrual=row.non_accrual)
        for code, amount in grown.items():
            products[row.product_id][code] += amount
    await journal.post(ctx, *await book.accruals(ctx, products))


def _grown(interest: int, penalty: int, compound: int, *, non_accrual: bool) -> Ledger:
    """What a night's growth is in the ledger: income on balance, or a memorandum beside it (非应计)."""
    if non_accrual:
        grown = interest + penalty + compound
        return {account.OFF_BALANCE_INTEREST: grown, account.OFF_BALANCE_CONTRA: -grown}
    return {
        account.INTEREST_RECEIVABLE: interest,
        account.INTEREST_INCOME: -interest,
        account.PENALTY_RECEIVABLE: penalty,
        account.PENALTY_INCOME: -penalty,
        account.COMPOUND_RECEIVABLE: compound,
        account.COMPOUND_INCOME: -compound,
    }


async def loans_alive(ctx: Context) -> int:
    """How many loans are carried from day to day."""
    counted = text("select count(*) from loans where state not in ('PENDING', 'SETTLED', 'WRITTEN_OFF', 'TRANSFERRED')")
    return int((await ctx.connection.execute(counted)).scalar_one())


async def more_loans_than(ctx: Context, some: int) -> bool:
    """Whether more than some are carried from day to day; counts no further than that."""
    alive = "select 1 from loans where state not in ('PENDING', 'SETTLED', 'WRITTEN_OFF', 'TRANSFERRED') limit :most"
    counted = text(f"select count(*) from ({alive}) as alive")
    return int((await ctx.connection.execute(counted, {"most": some + 1})).scalar_one()) > some
