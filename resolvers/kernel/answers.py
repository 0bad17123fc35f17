"""回答 · `@answers` says how a relation is found: many parents in, one query, a value for each key out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain.kernel.context import Context
from resolvers.kernel.loading import by_keys
from schema.kernel import Node

Finder = Callable[..., Awaitable[dict[Any, Any]]]


@dataclass(slots=True)
class Answer:
    """`reading`: the permission to read what the relation leads to; `nothing`: the value of a parent that has none.
    Both are set from the schema when it is built."""

    function: Finder
    reading: str | None = None
    nothing: Callable[[], Any] = lambda: None


ANSWERS: dict[str, Answer] = {}


def answers(relation: str) -> Callable[[Finder], Finder]:
    """`@answers("Loan.receipts")` on `async def receipts(ctx, loan_ids, **arguments) -> dict[key, value]`."""

    def register(function: Finder) -> Finder:
        if relation in ANSWERS:
            raise ValueError(f"two answers for {relation}")
        ANSWERS[relation] = Answer(function)
        return function

    return register


def answers_by_key(relation: str, node_type: type[Node]) -> None:
    """A relation to one row by its key. The scope is the parent's: who sees a loan sees whose it is."""

    async def find(ctx: Context, keys: list[UUID]) -> dict[UUID, Node]:
        return await by_keys(ctx, node_type, keys, scoped=False)

    answers(relation)(find)
