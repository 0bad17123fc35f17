"""Writes the first migrations from the tables: `python -m migrations.draft`.

Until the first release the files are drawn from the metadata again and again; afterwards they are frozen and every
change is a new file (README.md). One file per module; a foreign key that points forward is added by the later file.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateForeignKeyOp, CreateIndexOp, CreateTableOp, MigrateOperation, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    CheckConstraint,
    Column,
    Constraint,
    DefaultClause,
    Enum,
    ForeignKeyConstraint,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import conv
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from migrations.line import CATALOG, TENANT
from migrations.native import Native

MODULES = (
    "kernel",
    "organization",
    "customers",
    "configuration",
    "workflow",
    "lending",
    "loan",
    "finance",
    "ledger",
    "collateral",
    "post_loan",
    "payments",
    "archives",
    "home",
    "business_day",
)

FILE = '''"""{module}: {count} tables. Drawn by `python -m migrations.draft` before the first release."""

# ruff: noqa: E501
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.native import Native

revision = "{revision}"
down_revision = {before}


def upgrade() -> None:
    {body}
'''

DIALECT = postgresql.dialect()


def main() -> None:
    """Writes both lines anew and formats them."""
    from domain import tables  # here only: the runner knows no domain
    from tenancy.tables import metadata as catalog

    draft(tables.metadata(), TENANT.versions)
    draft(catalog, CATALOG.versions, modules=("catalog",))
    for folder in (TENANT.versions, CATALOG.versions):
        tidy = ["check", "--fix-only", "--extend-select", "F401,I"]
        for order in (tidy, ["format"], tidy):  # what is too long for a line shows only when it is formatted
            subprocess.run([sys.executable, "-m", "ruff", *order, "--quiet", str(folder)], check=True)


def draft(metadata: MetaData, folder: Path, *, modules: Sequence[str] = MODULES) -> list[Path]:
    """One file for each module that has tables (`table.info["module"]`); files of an earlier draft are replaced."""
    tables = metadata.sorted_tables
    if unknown := {_module(table) for table in tables} - set(modules):
        raise ValueError(f"name the modules {', '.join(sorted(unknown))} in migrations.draft.MODULES")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("[0-9]*.py"):
        old.unlink()
    made: set[str] = set()
    waiting: list[ForeignKeyConstraint] = []
    files: list[Path] = []
    for module in modules:
        own = [table for table in tables if _module(table) == module]
        if own:
            before = files[-1].stem if files else None
            files.append(folder / f"{len(files) + 1:04d}_{module}.py")
            body = _python(_operations(own, made, waiting))
            text = FILE.format(module=module, count=len(own), revision=files[-1].stem, before=repr(before), body=body)
            files[-1].write_text(text)
    return files


def _operations(own: list[Table], made: set[str], waiting: list[ForeignKeyConstraint]) -> list[MigrateOperation]:
    """Tables with their indexes, then the foreign keys whose other end exists only now. `made` and `waiting` grow on."""
    done: list[MigrateOperation] = []
    for table in own:
        made.add(table.name)
        keys = sorted(table.foreign_key_constraints, key=_name)
        waiting += [key for key in keys if key.referred_table.name not in made]
        done.append(_create_table(table, [key for key in keys if key.referred_table.name in made]))
        done += [_create_index(index) for index in sorted(table.indexes, key=_name)]
    ready = [key for key in waiting if key.referred_table.name in made]
    waiting[:] = [key for key in waiting if key not in ready]
    return done + [
        CreateForeignKeyOp(
            _name(key),
            key.table.name,
            key.referred_table.name,
            list(key.column_keys),
            [element.column.name for element in key.elements],
            ondelete=key.ondelete,
        )
        for key in ready
    ]


def _create_table(table: Table, keys: list[ForeignKeyConstraint]) -> CreateTableOp:
    columns: list[Column[Any] | Constraint] = [_copy(column) for column in table.columns]
    for constraint in sorted(table.constraints, key=_name):
        name = conv(_name(constraint))
        match constraint:
            case PrimaryKeyConstraint():
                columns.append(PrimaryKeyConstraint(*constraint.columns.keys(), name=name))
            case UniqueConstraint():
                columns.append(UniqueConstraint(*constraint.columns.keys(), name=name))
            case CheckConstraint():
                columns.append(CheckConstraint(_sql(constraint.sqltext), name=name))
    for key in keys:
        targets = [f"{key.referred_table.name}.{element.column.name}" for element in key.elements]
        columns.append(ForeignKeyConstraint(key.column_keys, targets, name=conv(_name(key)), ondelete=key.ondelete))
    return CreateTableOp(table.name, columns, prefixes=table._prefixes or None)


def _copy(column: Column[Any]) -> Column[Any]:
    return Column(
        column.name,
        _plain(column.type),
        nullable=column.nullable,
        server_default=_default(column),
        autoincrement=column.autoincrement,
    )


def _create_index(index: Index) -> CreateIndexOp:
    operation = CreateIndexOp.from_index(index)
    operation.index_name, operation.schema = conv(_name(index)), None
    return operation


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type as the database has it: enumerations are text (their CHECK is written out), decorators what they wrap."""
    kind = kind._variant_mapping.get("postgresql", kind)
    if isinstance(kind, TypeDecorator):
        kind = kind.load_dialect_impl(DIALECT)
    if isinstance(kind, UserDefinedType):
        return Native(kind.compile(DIALECT))
    return String(kind.length) if isinstance(kind, Enum) else kind


def _default(column: Column[Any]) -> Any:
    return column.server_default.arg if isinstance(column.server_default, DefaultClause) else column.server_default


def _sql(expression: Any) -> str:
    compiler = DIALECT.ddl_compiler(DIALECT, None).sql_compiler  # type: ignore[arg-type]
    return str(compiler.process(expression, include_table=False, literal_binds=True))


def _name(thing: Constraint | Index) -> str:
    """The name PostgreSQL will see: by the naming convention, cut to 63 bytes as SQLAlchemy cuts it."""
    preparer = DIALECT.identifier_preparer
    name = preparer.format_index(thing) if isinstance(thing, Index) else preparer.format_constraint(thing)
    if name is None:
        raise ValueError(f"a constraint of {thing.table} has no name")
    return str(name).strip('"')


def _module(table: Table) -> str:
    return str(table.info["module"]) if table.schema is None else table.schema


def _python(operations: list[MigrateOperation]) -> str:
    context = MigrationContext.configure(dialect_name="postgresql")
    code = render_python_code(UpgradeOps(operations), migration_context=context, user_module_prefix="")
    return "\n".join(line for line in str(code).splitlines() if not line.lstrip().startswith("# ###")).strip()


if __name__ == "__main__":
    main()
