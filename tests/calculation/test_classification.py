"""The 46 golden classes, and laws of classification."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calculation.classification import (
    NATIONAL_2023,
    RULESETS,
    SMALL_LOAN_MATRIX_2007,
    AccrualStatus,
    Event,
    Facts,
    FiveClass,
    LendingMode,
    Restructuring,
    Ruleset,
    bucket,
    class_for_dpd,
    classify,
    day_limits,
)

GOLDEN = Path(__file__).parent.parent / "golden"
CASES: list[dict[str, Any]] = json.loads((GOLDEN / "classification.json").read_text())["cases"]


def facts_of(given_input: dict[str, Any]) -> Facts:
    observed = given_input.get("restructured", {})
    return Facts(
        dpd=given_input["dpd"],
        lending_mode=LendingMode(given_input.get("guarantee_type", "CREDIT")),
        events=tuple(map(Event, given_input.get("events", []))),
        technical_overdue=given_input.get("technical_overdue", False),
        previous_class=FiveClass(given_input.get("previous_class", "NORMAL")),
        upgrade_test_passed=given_input.get("upgrade_test_passed", False),
        observation=Restructuring(
            prev_npl=observed["prev_npl"], overdue_again_npl=observed.get("overdue_again_npl", False)
        )
        if observed.get("in_observation")
        else None,
    )


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_golden_class(case: dict[str, Any]) -> None:
    made = classify(RULESETS[case["input"]["ruleset"]], facts_of(case["input"]))
    assert {
        "class": made.five_class,
        "reasons": list(made.reasons),
        "non_performing": made.non_performing,
        "accrual_status": made.accrual,
    } == {name: value for name, value in case["expect"].items() if name != "provision"}


def test_day_limits_are_where_the_class_changes() -> None:
    assert day_limits(NATIONAL_2023) == (1, 91, 271, 361)
    assert day_limits(SMALL_LOAN_MATRIX_2007) == (1, 31, 91, 181, 361)


def test_a_floor_between_two_bands_is_a_day_limit() -> None:
    lenient = Ruleset(
        code="LENIENT",
        bands=(1, 181),
        classes=dict.fromkeys(LendingMode, (FiveClass.SPECIAL_MENTION, FiveClass.LOSS)),
        non_performing_from_dpd=91,
    )
    assert day_limits(lenient) == (1, 91, 181)
    assert [class_for_dpd(lenient, dpd) for dpd in (90, 91, 180, 181)] == [
        FiveClass.SPECIAL_MENTION,
        FiveClass.SUBSTANDARD,
        FiveClass.SUBSTANDARD,
        FiveClass.LOSS,
    ]


@pytest.mark.parametrize("ruleset", RULESETS.values(), ids=RULESETS)
@pytest.mark.parametrize("mode", LendingMode)
def test_the_class_changes_at_day_limits_only_and_for_the_worse(ruleset: Ruleset, mode: LendingMode) -> None:
    for dpd in range(1, 800):
        before, after = class_for_dpd(ruleset, dpd - 1, mode), class_for_dpd(ruleset, dpd, mode)
        assert after.rank >= before.rank
        assert after is before or dpd in day_limits(ruleset)


@pytest.mark.parametrize("ruleset", RULESETS.values(), ids=RULESETS)
def test_a_combination_is_judged_like_a_guarantee(ruleset: Ruleset) -> None:
    modes = (LendingMode.COMBINED, LendingMode.GUARANTEE)
    assert all(class_for_dpd(ruleset, dpd, modes[0]) is class_for_dpd(ruleset, dpd, modes[1]) for dpd in range(400))


FACTS = st.builds(
    Facts,
    dpd=st.integers(0, 500),
    lending_mode=st.sampled_from(LendingMode),
    events=st.lists(st.sampled_from(Event), unique=True, max_size=3).map(tuple),
    technical_overdue=st.booleans(),
    previous_class=st.sampled_from(FiveClass),
    upgrade_test_passed=st.booleans(),
    observation=st.none() | st.builds(Restructuring, prev_npl=st.booleans(), overdue_again_npl=st.booleans()),
)


@given(st.sampled_from(list(RULESETS.values())), FACTS)
def test_laws_of_classification(ruleset: Ruleset, facts: Facts) -> None:
    made = classify(ruleset, facts)
    technical = facts.technical_overdue and 1 <= facts.dpd <= ruleset.technical_days
    if not technical:
        assert made.five_class.rank >= class_for_dpd(ruleset, facts.dpd, facts.lending_mode).rank
    for event in facts.events:
        assert made.five_class.rank >= ruleset.event_floors.get(event, FiveClass.NORMAL).rank
    if facts.dpd > 90 or (facts.previous_class.non_performing and not facts.upgrade_test_passed):
        assert made.non_performing
    assert (made.accrual is AccrualStatus.NON_ACCRUAL) == (facts.dpd > 90)
    assert bool(made.reasons) == (made.five_class is not FiveClass.NORMAL or technical)


@pytest.mark.parametrize(
    ("dpd", "name"), [(0, "M0"), (1, "M1"), (30, "M1"), (31, "M2"), (90, "M3"), (180, "M6"), (181, "M7+"), (900, "M7+")]
)
def test_bucket(dpd: int, name: str) -> None:
    assert bucket(dpd) == name


def test_milestones_of_an_unpaid_loan() -> None:
    """The bucket and class of the golden milestones, which follow the days past due alone."""
    milestones = json.loads((GOLDEN / "eod.json").read_text())["milestones"]["rows"]
    assert milestones
    assert [(class_for_dpd(NATIONAL_2023, row["dpd"]), bucket(row["dpd"])) for row in milestones] == [
        (row["class"], row["bucket"]) for row in milestones
    ]
