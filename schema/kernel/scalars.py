"""标量 · Scalars: money, rates, days and moments as the contract writes them. Each is read and written in one place.

What is malformed is refused while the request is read (BAD_USER_INPUT), so no resolver meets it. There are no floats.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

Money = NewType("Money", Decimal)
Rate = NewType("Rate", Decimal)
Cursor = NewType("Cursor", str)
JSON = NewType("JSON", object)
Date = date
DateTime = datetime

_MONEY = re.compile(r"-?\d{1,16}\.\d{2}", re.ASCII)
_RATE = re.compile(r"-?\d{1,4}(\.\d{1,8})?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})", re.ASCII)
_CENT = Decimal("0.01")


def _text(value: Any, form: re.Pattern[str], wanted: str) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise GraphQLError(f"expected {wanted}")
    return value


def parse_money(value: Any) -> Decimal:
    return Decimal(_text(value, _MONEY, 'money: a decimal string with two places, "8884.88"')) + 0


def write_money(value: Decimal) -> str:
    """Two places exactly. Raises ValueError for a figure that was not rounded before: rounding is not the edge's business."""
    written = Decimal(value).quantize(_CENT)
    if written != value:
        raise ValueError("an amount of money has more than two places")
    return str(written + 0)


def parse_rate(value: Any) -> Decimal:
    return Decimal(_text(value, _RATE, 'a rate: a decimal fraction as a string, "0.12"')) + 0


def write_rate(value: Decimal) -> str:
    """Without zeros at the end and without an exponent: 0.12000000 is "0.12"."""
    return f"{(Decimal(value) + 0).normalize():f}"


def parse_date(value: Any) -> date:
    try:
        return date.fromisoformat(_text(value, _DATE, 'a date: "2026-01-31"'))
    except ValueError:
        raise GraphQLError("there is no such date") from None


def parse_moment(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(_text(value, _MOMENT, 'an instant with offset: "2026-01-31T08:00:00+08:00"'))
    except ValueError:
        raise GraphQLError("there is no such instant") from None


def write_moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def parse_cursor(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 500:
        raise GraphQLError("expected a cursor")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    Money: strawberry.scalar(
        name="Money",
        description='金额 CNY, decimal string with exactly two places: "8884.88".',
        parse_value=parse_money,
        serialize=write_money,
    ),
    Rate: strawberry.scalar(
        name="Rate",
        description='利率、比率 Decimal fraction as a string: "0.12" is 12 % a year.',
        parse_value=parse_rate,
        serialize=write_rate,
    ),
    date: strawberry.scalar(
        name="Date",
        description='日期 ISO 8601 calendar date: "2026-01-31".',
        parse_value=parse_date,
        serialize=date.isoformat,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description='时刻 ISO 8601 instant with offset: "2026-01-31T00:00:00.000000+00:00".',
        parse_value=parse_moment,
        serialize=write_moment,
    ),
    Cursor: strawberry.scalar(
        name="Cursor", description="游标 Opaque position in a feed.", parse_value=parse_cursor, serialize=str
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="结构化数据 Any JSON value.",
        specified_by_url="https://ecma-international.org/publications-and-standards/standards/ecma-404/",
        parse_value=lambda value: value,
        serialize=lambda value: value,
    ),
}
