"""条件 · When a node of a workflow applies: a small typed tree over whitelisted figures of the subject.

As data: `{"field": "amount", "operator": "GE", "value": "15000000.00"}`, `{"all": [...]}`, `{"any": [...]}`, `{"not": {...}}`.
Nothing in it is ever executed, and a figure that is not on the list cannot be asked for.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

FIELDS: dict[str, type[Decimal] | type[str]] = {
    "amount": Decimal,
    "annual_rate": Decimal,
    "periods": Decimal,
    "product": str,
    "lending_mode": str,
    "customer_kind": str,
    "request": str,
}
DEEPEST = 8

Facts = Mapping[str, Any]


class Operator(StrEnum):
    """Comparisons; words are only equal or not."""

    EQ = "EQ"
    NE = "NE"
    GT = "GT"
    GE = "GE"
    LT = "LT"
    LE = "LE"


COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
}


class ConditionError(ValueError):
    """This data is no condition."""


@dataclass(frozen=True, slots=True)
class Compare:
    """One figure against a value."""

    field: str
    operator: Operator
    value: Decimal | str

    def holds(self, facts: Facts) -> bool:
        """False also where the subject has no such figure."""
        fact = facts.get(self.field)
        return fact is not None and COMPARE[self.operator](FIELDS[self.field](fact), self.value)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Each of the parts holds."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        return all(part.holds(facts) for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the parts holds at least."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        return any(part.holds(facts) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition

    def holds(self, facts: Facts) -> bool:
        return not self.part.holds(facts)


Condition = Compare | AllOf | AnyOf | Not


def parse(data: Any, depth: int = 1) -> Condition:
    """The condition that this data describes; raises ConditionError with the reason."""
    if depth > DEEPEST:
        raise ConditionError(f"a condition is at most {DEEPEST} deep")
    if not isinstance(data, dict):
        raise ConditionError("a condition is an object")
    match data:
        case {"all": list(parts)} if len(data) == 1 and parts:
            return AllOf(tuple(parse(part, depth + 1) for part in parts))
        case {"any": list(parts)} if len(data) == 1 and parts:
            return AnyOf(tuple(parse(part, depth + 1) for part in parts))
        case {"not": part} if len(data) == 1:
            return Not(parse(part, depth + 1))
        case {"field": str(field), "operator": str(name), "value": value} if len(data) == 3:
            return _comparison(field, name, value)
    raise ConditionError(f"not a condition: {', '.join(sorted(map(str, data)))}")


def _comparison(field: str, name: str, value: Any) -> Compare:
    if field not in FIELDS:
        raise ConditionError(f"the field {field} is not one of {', '.join(FIELDS)}")
    if name not in Operator.__members__:
        raise ConditionError(f"the operator {name} is not one of {', '.join(Operator)}")
    if not isinstance(value, str):
        raise ConditionError(f"the value for {field} is a text, figures too")
    if FIELDS[field] is str:
        if name not in ("EQ", "NE"):
            raise ConditionError(f"{field} is a word: it is EQ or NE")
        return Compare(field, Operator(name), value)
    try:
        figure = Decimal(value)
    except InvalidOperation as error:
        raise ConditionError(f"{value!r} is no figure") from error
    if not figure.is_finite():
        raise ConditionError(f"{value!r} is no figure")
    return Compare(field, Operator(name), figure)
