"""Everything that closing days writes, as one hash a kind: without ids made on the way, moments, and what depends only on how
loans were put together into transactions (the accrual vouchers of chunks, and so the numbers of vouchers)."""

from __future__ import annotations

from sqlalchemy import text

from domain.kernel.context import Context

_EVERYTHING = text(
    """
    with written as (
        select 'position' as what,
               to_jsonb(p) - 'id' - 'known_from' - 'known_to' || jsonb_build_object('now', known_to = 'infinity') as row
          from positions p
        union all
        select 'overdue line', to_jsonb(o) - 'id' - 'known_from' - 'known_to' || jsonb_build_object('now', known_to = 'infinity')
          from overdue_lines o
        union all
        select 'movement', to_jsonb(m) - 'id' - 'known_from' - 'known_to' || jsonb_build_object('now', known_to = 'infinity')
          from movements m
        union all select 'installment', to_jsonb(i) from installments i
        union all select 'allocation', to_jsonb(a) from allocations a
        union all select 'loan', to_jsonb(l) - 'known_from' from loans l
        union all select 'turnover', to_jsonb(d) from account_days d
        union all
        select 'voucher', jsonb_build_array(v.business_date, v.kind, v.summary, v.debit_total,
                   case v.reference_table when 'loans' then v.reference_id end,
                   array_agg(jsonb_build_array(n.account, n.sub_id, n.debit, n.credit) order by n.account, n.debit))
          from vouchers v join voucher_lines n on n.voucher_id = v.id where v.kind <> 'ACCRUAL' group by v.id
        union all
        select 'feed', jsonb_build_array(kind, business_date, facts, case subject_table when 'loans' then subject_id end)
          from feed where kind not like 'end_of_day_progress.%'
        union all
        select 'alert', to_jsonb(a) - 'id' - 'created_at' from alerts a
        union all
        select 'task', to_jsonb(t) - 'id' - 'created_at' - 'arrived_at' - 'closed_at' from tasks t
        union all
        select 'day', to_jsonb(b) - 'id' - 'created_at' - 'started_at' - 'finished_at' from business_days b
        union all
        select 'step', jsonb_build_array(b.date, s.step, s.result, s.finished_at is null)
          from day_steps s join business_days b on b.id = s.day_id
    )
    select what, count(*), md5(string_agg(row::text, '|' order by row::text)) from written group by what order by what
    """
)


async def whole_books(system: Context) -> dict[str, tuple[int, str]]:
    """Kind of row → how many, and their hash. `system` is unbound."""
    async with system.reading() as ctx:
        return {row.what: (row.count, row.md5) for row in (await ctx.connection.execute(_EVERYTHING)).all()}
