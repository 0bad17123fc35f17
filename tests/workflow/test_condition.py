"""条件: what a tree of comparisons says, and what is no condition."""

import pytest

from domain.workflow.condition import DEEPEST, ConditionError, parse

FACTS = {"amount": "15000000.00", "annual_rate": "0.12", "product": "BIZ", "lending_mode": "CREDIT"}


def at_least(value: str) -> dict:
    return {"field": "amount", "operator": "GE", "value": value}


@pytest.mark.parametrize(
    ("data", "holds"),
    [
        (at_least("15000000.00"), True),
        (at_least("15000000.01"), False),
        ({"field": "annual_rate", "operator": "LT", "value": "0.120"}, False),
        ({"field": "annual_rate", "operator": "LE", "value": "0.120"}, True),
        ({"field": "product", "operator": "EQ", "value": "BIZ"}, True),
        ({"field": "product", "operator": "NE", "value": "BIZ"}, False),
        ({"field": "periods", "operator": "GE", "value": "0"}, False),  # the subject has no such figure
        ({"all": [at_least("1.00"), {"not": at_least("20000000.00")}]}, True),
        ({"any": [at_least("20000000.00"), {"field": "product", "operator": "EQ", "value": "CAR"}]}, False),
    ],
)
def test_what_a_condition_says(data, holds):
    assert parse(data).holds(FACTS) is holds


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        "amount > 1",
        {"all": []},
        {"any": []},
        {"all": [at_least("1.00")], "any": []},
        {"not": None},
        {**at_least("1.00"), "more": 1},
        {"field": "actor_id", "operator": "EQ", "value": "x"},
        {"field": "amount", "operator": "LIKE", "value": "1"},
        {"field": "amount", "operator": "GE", "value": 1},
        {"field": "amount", "operator": "GE", "value": "many"},
        {"field": "amount", "operator": "GE", "value": "NaN"},
        {"field": "product", "operator": "GT", "value": "A"},
    ],
)
def test_what_is_no_condition(data):
    with pytest.raises(ConditionError):
        parse(data)


def test_depth_is_limited():
    nested = at_least("1.00")
    for _ in range(DEEPEST - 1):
        nested = {"not": nested}
    assert parse(nested)
    with pytest.raises(ConditionError):
        parse({"not": nested})
