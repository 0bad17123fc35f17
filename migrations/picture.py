"""How a schema really looks: one sentence for each column, constraint and index, from PostgreSQL's own catalog.

Two schemas with equal pictures are the same, down to the order of columns (promise U2).
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tenancy.grants import VERSION_TABLE

PICTURE = text("""
    SELECT format('column %s.%s %s %s %s default %s', c.relname,
                  row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), a.attname,
                  format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END,
                  coalesce(pg_get_expr(d.adbin, d.adrelid), 'none'))
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = to_regnamespace(:schema) AND c.relkind IN ('r', 'p') AND c.relname <> :version
    UNION ALL
    SELECT format('constraint %s.%s %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE c.relnamespace = to_regnamespace(:schema) AND k.contype <> 'n' AND c.relname <> :version
    UNION ALL
    SELECT format('index %s', replace(i.indexdef, quote_ident(i.schemaname) || '.', '')) FROM pg_indexes i
    WHERE i.schemaname = :schema AND i.tablename <> :version
    ORDER BY 1
""")


async def picture(connection: AsyncConnection, schema: str) -> list[str]:
    """The sentences, sorted. The version table is left out. The schema must be on the search path."""
    rows = await connection.execute(PICTURE, {"schema": schema, "version": VERSION_TABLE})
    return list(rows.scalars())
