"""Lenders that tests have one after another: what a test left is swept out and the first contents are put back.

Provisioning takes a tenth of what the suite may, most of it for tables that are all alike, and a fresh lender's connections
know no statement yet. So `a_lender` hands out one that an earlier test is done with, as it was on its first day: the same
rows, ids included. A lender whose tables are no longer those it was made with is not used again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncpg import PostgresError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from tenancy.grants import run_text

if TYPE_CHECKING:
    from tests.support.actors import LenderAtWork

_SHAPE = """
    select count(*) || '/' || coalesce(sum(hashtext(c.relname || a.attname || a.atttypid || a.attnotnull)), 0)
           || '/' || (select count(*) from pg_trigger t join pg_class o on o.oid = t.tgrelid where o.relnamespace = c.relnamespace)
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = cast('{schema}' as regnamespace) and not a.attisdropped group by c.relnamespace
"""
_KEEP = """
    create schema {kept};
    do $$ declare name text; begin
        for name in select relname from pg_class where relnamespace = '{schema}'::regnamespace and relkind = 'r'
                    and pg_relation_size(oid) > 0
        loop execute format('create table {kept}.%I as table {schema}.%I', name, name); end loop;
    end $$;
    create table {kept}._lender as select * from catalog.lenders where id = '{id}';
"""
# As `replica` no foreign key and no trigger asks for an order. A table that has grown is truncated, so that dead rows do not
# make it slow; of an ordinary one a few rows are deleted, which is quicker.
_SWEEP = """
    set local lock_timeout = '2s';
    set local session_replication_role = replica;
    do $$ declare t record; begin
        for t in select relname, pg_relation_size(oid) as bytes from pg_class
                 where relnamespace = '{schema}'::regnamespace and relkind = 'r' and pg_relation_size(oid) > 0
                 order by relname
        loop
            if t.bytes > 500000 then execute format('truncate {schema}.%I cascade', t.relname);
            else execute format('delete from {schema}.%I', t.relname); end if;
        end loop;
        for t in select relname from pg_class where relnamespace = '{kept}'::regnamespace and relname <> '_lender'
        loop execute format('insert into {schema}.%I overriding system value table {kept}.%I', t.relname, t.relname); end loop;
    end $$;
    delete from catalog.job_hints where lender_id = '{id}';
    delete from catalog.open_sockets where lender_id = '{id}';
    delete from catalog.rate_windows;
    update catalog.lenders l set (name, status, business_date) = (k.name, k.status, k.business_date)
        from {kept}._lender k where l.id = k.id;
"""


@dataclass(slots=True)
class _Kept:
    lender: LenderAtWork
    shape: str


@dataclass
class Recycling:
    """The lenders of one installation that may be had again. `lent` is what the running test has."""

    administrator: AsyncEngine
    free: dict[Hashable, list[_Kept]] = field(default_factory=lambda: defaultdict(list))
    lent: list[tuple[Hashable, _Kept]] | None = None

    def during_a_test(self) -> Iterator[None]:
        """What is taken meanwhile is free afterwards; what wider fixtures took before is theirs for good."""
        self.lent = []
        yield
        for kind, kept in self.lent:
            self.free[kind].append(kept)
        self.lent = None

    async def take(self, kind: Hashable) -> LenderAtWork | None:
        """One of this kind as on its first day; None when there is none, or nobody would give it back."""
        while self.lent is not None and self.free[kind]:
            kept = self.free[kind].pop()
            if await self._swept(kept):
                self.lent.append((kind, kept))
                return kept.lender
        return None

    async def keep(self, kind: Hashable, lender: LenderAtWork) -> None:
        """Remembers what a fresh lender looks like, so that it may be had again after the running test."""
        if self.lent is None:
            return
        async with self.administrator.begin() as connection:
            await run_text(connection, _filled(_KEEP, lender))
            shape = (await connection.execute(text(_filled(_SHAPE, lender)))).scalar_one()
        self.lent.append((kind, _Kept(lender, shape)))

    async def _swept(self, kept: _Kept) -> bool:
        try:
            async with self.administrator.begin() as connection:
                if (await connection.execute(text(_filled(_SHAPE, kept.lender)))).scalar_one() != kept.shape:
                    return False
                await run_text(connection, _filled(_SWEEP, kept.lender))
            kept.lender.platform.catalog._forget(kept.lender.lender.id)
        except (DBAPIError, PostgresError):  # somebody still has it in hand
            return False
        return True


def _filled(template: str, lender: LenderAtWork) -> str:
    schema = lender.lender.schema
    return template.format(schema=schema, kept=f"kept_of_{schema}", id=lender.lender.id)
