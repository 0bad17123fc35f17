"""账簿核对 · Proofs of the books by themselves: vouchers, their numbers, balances, cash, allocations, provisions.

Each is one statement over the vouchers from a day on, so it sees one moment and payments go on meanwhile. Whether any of them
finds something is asked first, in one statement: on nearly every day of nearly every lender none does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from domain.ledger.account import BANK, ENTRUSTED_FUND, ENTRUSTED_LOAN
from domain.ledger.proof.difference import ENTRUSTED_CASH, Difference, Key, Proof

if TYPE_CHECKING:
    from domain.kernel.context import Context

CENT = Decimal("0.01")
NO_SUB = UUID(int=0)
"""Stands for the sub-account of what has none."""

_VOUCHERS = text(
    """
    with unsound as (
        select v.id, v.number, v.debit_total, v.business_date, v.event_id, v.reference_table, v.reference_id,
               coalesce(sum(l.debit), 0) as debit, coalesce(sum(l.credit), 0) as credit
        from vouchers v left join voucher_lines l on l.voucher_id = v.id
        where v.business_date >= :first
        group by v.id
        having coalesce(sum(l.debit), 0) <> v.debit_total or coalesce(sum(l.credit), 0) <> v.credit_total
            or v.debit_total <> v.credit_total
    )
    select u.*, l.account, l.sub_id from unsound u left join voucher_lines l on l.voucher_id = u.id
    order by u.number, l.line
    """
)

_NUMBERS = text(
    """
    with numbered as (
        select year, sequence, sequence - lag(sequence, 1, 0) over (partition by year order by sequence) as step from vouchers
        where year >= :year
    ), last as (select cast(period as integer) as year, last from number_sequences where kind = 'voucher')
    select 'gap' as kind, year, sequence as found, sequence - step + 1 as expected from numbered where step <> 1
    union all
    select 'last', l.year, coalesce(max(n.sequence), 0), l.last from last l left join numbered n using (year)
    where l.year >= :year group by l.year, l.last having coalesce(max(n.sequence), 0) <> l.last
    union all
    select 'text', year, sequence, null from vouchers
    where business_date >= :first
      and number <> '记-' || year || '-' || lpad(cast(sequence as text), greatest(6, length(cast(sequence as text))), '0')
    order by 2, 3 limit 100
    """
)

_BALANCES = text(
    """
    with sums as (
        select l.account, case when a.by_sub and l.sub_id is not null then l.sub_id else cast(:no_sub as uuid) end as sub_id,
               v.business_date as "on", sum(l.debit) as debit, sum(l.credit) as credit
        from voucher_lines l join vouchers v on v.id = l.voucher_id join accounts a on a.code = l.account
        where v.business_date >= :first group by 1, 2, 3
    ), days as (select * from account_days where "on" >= :first)
    select account, "on", coalesce(s.debit, 0) - coalesce(s.credit, 0) as expected,
           coalesce(d.debit, 0) - coalesce(d.credit, 0) as found
    from sums s full join days d using (account, sub_id, "on")
    where (s.debit, s.credit) is distinct from (d.debit, d.credit) order by account, "on"
    """
)

# Money of a loan's event went through the account that the event names, and through no other. A reversal takes back what
# its target moved, which may be a reversal itself. For an asset that was taken over none did (collateral.py).
_CASH = text(
    """
    with events as (
        select e.id, e.loan_id, e.type, e.company_account_id,
               case when e.type = 'REVERSAL' or e.payload ->> 'asset_id' is not null then 0 when e.type = 'RECEIPT' then 1
                    else -1 end * cast(e.payload ->> 'amount' as numeric)
                   as amount, cast(e.payload ->> 'target_event_id' as uuid) as target
        from loan_events e where e.business_date >= :first and e.type in ('PAYOUT', 'RECEIPT', 'REFUND', 'REVERSAL')
    )
    select e.id, n.id as loan_id, n.number, a.name,
           case when e.type = 'REVERSAL' then -target.moved else e.amount end as expected, own.moved as found
    from events e join loans n on n.id = e.loan_id
    left join company_accounts a on a.id = e.company_account_id
    cross join lateral (
        select coalesce(sum(l.debit - l.credit) filter (where l.sub_id = e.company_account_id), 0) as moved,
               count(*) filter (where l.sub_id is distinct from e.company_account_id) as elsewhere
        from vouchers v join voucher_lines l on l.voucher_id = v.id where v.event_id = e.id and l.account = '1002'
    ) own
    cross join lateral (
        select coalesce(sum(l.debit - l.credit), 0) as moved
        from vouchers v join voucher_lines l on l.voucher_id = v.id where v.event_id = e.target and l.account = '1002'
    ) target
    where own.elsewhere > 0 or own.moved <> case when e.type = 'REVERSAL' then -target.moved else e.amount end
    order by n.number
    """
)

_STRAY_CASH = text(
    """
    select d.sub_id, sum(d.debit - d.credit) as amount from account_days d
    where d.account = '1002' and d.sub_id not in (select id from company_accounts)
    group by d.sub_id having sum(d.debit - d.credit) <> 0
    """
)

_ALLOCATIONS = text(
    """
    with received as (
        select m.event_id, m.loan_id, m.amount, e.payload ->> 'receipt_id' as receipt_id
        from loan_events e join movements m on m.loan_id = e.loan_id and m.event_id = e.id and m.kind = 'RECEIVED'
                           and m.known_to = 'infinity'
        where e.business_date >= :first and e.type = 'RECEIPT'
    ), paid as (
        select r.event_id, sum(a.amount) * 100 as amount from received r join allocations a on a.event_id = r.event_id group by 1
    ), moved as (
        select r.event_id, sum(m.amount) as amount from received r join movements m on m.event_id = r.event_id
        where m.loan_id = r.loan_id and m.kind in ('ALLOCATED', 'RECOVERED') and m.known_to = 'infinity' group by 1
    )
    select r.loan_id, n.number, h.number as receipt, coalesce(m.amount, 0) / 100.0 as expected,
           coalesce(p.amount, 0) / 100.0 as found, r.amount / 100.0 as received, h.amount as keyed
    from received r join loans n on n.id = r.loan_id
    left join receipts h on h.id = cast(r.receipt_id as uuid)
    left join paid p on p.event_id = r.event_id left join moved m on m.event_id = r.event_id
    where coalesce(p.amount, 0) <> coalesce(m.amount, 0) or h.amount <> r.amount / 100.0
    order by n.number, h.number
    """
)

_PROVISIONS = text(
    """
    with runs as (
        select * from provision_runs where state = 'POSTED' and as_of >= :first
    ), items as (
        select i.run_id, sum(i.principal) as principal, sum(i.general) as general, sum(i.specific) as specific
        from provision_items i join runs r on r.id = i.run_id group by 1
    ), posted as (
        select r.id as run_id, sum(l.credit - l.debit) as amount from runs r
        join vouchers v on v.reference_table = 'provision_runs' and v.reference_id = r.id
        join voucher_lines l on l.voucher_id = v.id and l.account = '1304' group by 1
    )
    select to_char(r.month, 'YYYY-MM') as month, r.voucher_id, part.expected, part.found
    from runs r left join items i on i.run_id = r.id left join posted p on p.run_id = r.id
    cross join lateral (values
        (r.principal, coalesce(i.principal, 0)), (r.general_required, coalesce(i.general, 0)),
        (r.specific_required, coalesce(i.specific, 0)), (r.change, coalesce(p.amount, 0)),
        (r.general_required + r.specific_required + r.additional, r.booked_before + r.change)
    ) as part(expected, found)
    where part.expected <> part.found order by r.month
    """
)


# Counted, not `exists`: for that the server would look for the quickest way to a first row, and there is none.
_ANY = text(
    "select "
    + " + ".join(
        f"(select count(*) from ({statement.text}) as q)"
        for statement in (_VOUCHERS, _NUMBERS, _BALANCES, _CASH, _STRAY_CASH, _ALLOCATIONS, _PROVISIONS)
    )
)


async def differences(ctx: Context, first: date) -> list[Difference]:
    """What does not add up in the books from the business day `first` on, consequences included."""
    asked = {"first": first, "year": first.year, "no_sub": NO_SUB}
    if not (await ctx.connection.execute(_ANY, asked)).scalar_one():
        return []
    rows = await _rows(ctx, _VOUCHERS, first=first)
    found = _unsound(rows)
    found += await _numbers(ctx, first)
    found += await balances(ctx, first)
    found += await _cash(ctx, first)
    found += await _allocations(ctx, first)
    for row in await _rows(ctx, _PROVISIONS, first=first):
        about = ("voucher", row.voucher_id)
        found.append(Difference(Proof.PROVISIONS, row.month, row.expected, row.found, about=about))
    return found


async def balances(ctx: Context, first: date) -> list[Difference]:
    """Turnovers from a day on that are not the sum of their lines."""
    return [
        Difference(
            Proof.BALANCES,
            f"{row.account} {row.on}",
            row.expected,
            row.found,
            about=("turnover", (row.account, row.on)),
            explains=frozenset({ENTRUSTED_CASH} if row.account == BANK else ()),
        )
        for row in await _rows(ctx, _BALANCES, first=first, no_sub=NO_SUB)
    ]


async def _rows(ctx: Context, statement: Any, **values: Any) -> Sequence[Any]:
    return (await ctx.connection.execute(statement, values)).all()


def _unsound(rows: Sequence[Any]) -> list[Difference]:
    """Vouchers that do not add up. Each explains what its lines and its event are part of."""
    by_voucher: dict[UUID, list[Any]] = {}
    for row in rows:
        by_voucher.setdefault(row.id, []).append(row)
    found = []
    for voucher_id, lines in by_voucher.items():
        head = lines[0]
        explains: set[Key] = {("voucher", voucher_id), ("event", head.event_id or voucher_id)}
        explains.add(("product", head.reference_id or voucher_id))
        for line in lines:
            sub_id = line.sub_id or voucher_id
            explains |= {("turnover", (line.account, head.business_date)), ("loan", sub_id), ("fund", sub_id)}
            if line.account in (BANK, ENTRUSTED_LOAN, ENTRUSTED_FUND):
                explains.add(ENTRUSTED_CASH)
            explains.add(("collateral", sub_id))
        what = f"{head.debit} / {head.credit}"
        found.append(Difference(Proof.VOUCHERS, head.number, head.debit_total, what, explains=frozenset(explains)))
    return found


async def _numbers(ctx: Context, first: date) -> list[Difference]:
    return [
        Difference(Proof.NUMBERS, f"记-{row.year}", "–" if row.expected is None else row.expected, row.found)
        for row in await _rows(ctx, _NUMBERS, year=first.year, first=first)
    ]


async def _cash(ctx: Context, first: date) -> list[Difference]:
    found = [
        Difference(
            Proof.CASH,
            f"{row.number} {row.name}",
            row.expected,
            row.found,
            loan_id=row.loan_id,
            about=("event", row.id),
        )
        for row in await _rows(ctx, _CASH, first=first)
    ]
    for row in await _rows(ctx, _STRAY_CASH):
        found.append(Difference(Proof.CASH, str(row.sub_id), Decimal("0.00"), row.amount))
    return found


async def _allocations(ctx: Context, first: date) -> list[Difference]:
    found = []
    for row in await _rows(ctx, _ALLOCATIONS, first=first):
        keyed_wrong = row.keyed is not None and row.keyed != row.received
        expected, got = (row.received, row.keyed) if keyed_wrong else (row.expected, row.found)
        where, about = f"{row.number} {row.receipt or ''}".strip(), ("loan", row.loan_id)
        money = (expected.quantize(CENT), got.quantize(CENT))
        found.append(Difference(Proof.ALLOCATIONS, where, *money, loan_id=row.loan_id, about=about))
    return found
