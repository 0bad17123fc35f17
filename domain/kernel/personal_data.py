"""个人信息 · Personal data: ciphertext, keyed hash and masked form side by side, handled by one helper for all tables.

A table that holds an ID number declares
    id_number_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    id_number_fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)    # only where it is searched for
    id_number_masked: Mapped[str] = mapped_column(String(40))
(an account declares `account_last4` in place of the mask) and fills them with `seal(ctx, row, "id_number", number)`.
The name ends in its kind: `spouse_id_number` is an id_number, and equal numbers have equal fingerprints in every table.
Personal Information Protection Law (个人信息保护法) art. 51; promises Z5, Z6.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain.kernel import audit
from domain.kernel.permissions import declare
from domain.kernel.table import Keyed, uuid7

if TYPE_CHECKING:
    from domain.kernel.context import Context

READ = declare("customers.personal_data.read")


def mask_number(number: str) -> str:
    """The first three and the last four digits: `510***********1234`, `138****1234`."""
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}" if len(number) > 7 else "*" * len(number)


def mask_address(address: str) -> str:
    """The first six characters (province and city): `四川省成都市****`."""
    return f"{address[:6]}****" if len(address) > 6 else "****"


def last4(account: str) -> str:
    """The four last digits of an account, all that is ever shown of it."""
    return account[-4:]


# Kind → (which column shows it, how).
SHOWN: dict[str, tuple[str, Callable[[str], str]]] = {
    "id_number": ("masked", mask_number),
    "mobile": ("masked", mask_number),
    "address": ("masked", mask_address),
    "account": ("last4", last4),
}


def kind_of(name: str) -> str:
    """`spouse_id_number` → `id_number`. Raises ValueError for a name that ends in no kind."""
    for kind in SHOWN:
        if name == kind or name.endswith(f"_{kind}"):
            return kind
    raise ValueError(f"{name!r} ends in none of {', '.join(SHOWN)}")


def fingerprint(ctx: Context, name: str, value: str) -> bytes:
    """What to look for in a `…_fingerprint` column. `value` in its plain form (domain/calculation/identifiers.py)."""
    return ctx.ports.keys.fingerprint(ctx.lender, kind_of(name), value)


def seal(ctx: Context, row: Keyed, name: str, value: str | None) -> None:
    """Writes the columns of one piece of personal data; None empties them."""
    if row.id is None:
        row.id = uuid7()  # the key is part of the seal
    column, show = SHOWN[kind_of(name)]
    sealed = None if value is None else ctx.ports.keys.seal(ctx.lender, _place(row.__tablename__, name, row.id), value)
    setattr(row, f"{name}_sealed", sealed)
    setattr(row, f"{name}_{column}", None if value is None else show(value))
    if hasattr(type(row), f"{name}_fingerprint"):
        setattr(row, f"{name}_fingerprint", None if value is None else fingerprint(ctx, name, value))


def unseal(ctx: Context, row: Keyed, name: str) -> str | None:
    """The plain value for a command's own work (printing a contract, paying); it must go into no answer and no log."""
    sealed = getattr(row, f"{name}_sealed")
    return None if sealed is None else ctx.ports.keys.open(ctx.lender, _place(row.__tablename__, name, row.id), sealed)


async def shown(ctx: Context, entity: type[Keyed], name: str, rows: Iterable[Any]) -> dict[UUID, str | None]:
    """What the viewer may see, by key: the masked form, or the plain value for a holder of customers.personal_data.read.

    `rows` carry `id`, the sealed and the masked column. Whoever sees plain values leaves one audit row naming them,
    committed before this answers.
    """
    rows = list(rows)
    column, _ = SHOWN[kind_of(name)]
    if not ctx.actor.may(READ):
        return {row.id: getattr(row, f"{name}_{column}") for row in rows}
    table = entity.__tablename__
    sealed: Mapping[UUID, bytes | None] = {row.id: getattr(row, f"{name}_sealed") for row in rows}
    plain = {
        key: None if value is None else ctx.ports.keys.open(ctx.lender, _place(table, name, key), value)
        for key, value in sealed.items()
    }
    disclosed = [str(key) for key, value in plain.items() if value is not None]
    if disclosed:
        # A read cannot write: the audit row has a transaction of its own, whatever becomes of the read.
        async with replace(ctx, transaction=None).writing() as inner:
            inner.bound.changes.append({"table": table, "disclosed": name, "ids": disclosed})
            await audit.record(inner, READ, None)
    return plain


def _place(table: str, name: str, key: UUID) -> str:
    return f"{table}/{name}/{key}"
