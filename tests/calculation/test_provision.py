import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calculation.classification import FiveClass
from domain.calculation.money import fen, yuan
from domain.calculation.provision import PBOC_2002_98, POLICIES, ProvisionPolicy, portfolio, provision

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent.parent / "golden" / "classification.json").read_text())
CASES = GOLDEN["cases"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_golden_provision(case: dict[str, Any]) -> None:
    # C28: an entrusted loan is not the lender's own, so it brings no principal to provide for.
    entrusted = case["input"].get("loan_kind") == "ENTRUSTED"
    principal = 0 if entrusted else fen(case["input"]["principal_outstanding"])
    made = {code: provision(policy, FiveClass(case["expect"]["class"]), principal) for code, policy in POLICIES.items()}
    assert {
        code: {"general": str(yuan(needed.general)), "specific": str(yuan(needed.specific))}
        for code, needed in made.items()
    } == case["expect"]["provision"]


def test_golden_portfolio() -> None:
    case = GOLDEN["portfolio"]
    loans = [(FiveClass(loan["class"]), fen(loan["principal"])) for loan in case["loans"]]
    made = portfolio(POLICIES[case["policy"]], loans, fen(case["provision_booked"]))
    assert {
        "total_principal": str(yuan(made.principal)),
        "npl_principal": str(yuan(made.npl_principal)),
        "npl_ratio": str(made.npl_ratio),
        "general_required": str(yuan(made.general_required)),
        "specific_required": str(yuan(made.specific_required)),
        "required": str(yuan(made.required)),
        "provision_coverage_ratio": str(made.provision_coverage_ratio),
        "loan_provision_ratio": str(made.loan_provision_ratio),
        "adequacy_ratio": str(made.adequacy_ratio),
    } == case["expect"]


def test_a_ratio_to_nothing_is_none() -> None:
    empty = portfolio(PBOC_2002_98, [], 0)
    assert (empty.npl_ratio, empty.provision_coverage_ratio, empty.loan_provision_ratio, empty.adequacy_ratio) == (
        None,
        None,
        None,
        None,
    )
    sound = portfolio(PBOC_2002_98, [(FiveClass.NORMAL, 100_000)], 1_000)
    assert (sound.npl_ratio, sound.provision_coverage_ratio) == (Decimal("0.0000"), None)


def test_general_and_specific_are_rounded_separately_per_loan() -> None:
    """Half a fen each goes up in both parts: 50 fen at 1 % and 25 fen at 2 %, twice."""
    assert provision(PBOC_2002_98, FiveClass.SPECIAL_MENTION, 25).specific == 1
    loans = [(FiveClass.SPECIAL_MENTION, 50)] * 2
    assert portfolio(PBOC_2002_98, loans, 0).general_required == 2


@given(st.sampled_from(list(POLICIES.values())), st.integers(0, 10**13))
def test_a_worse_class_never_needs_less(policy: ProvisionPolicy, principal: int) -> None:
    needed = [provision(policy, five_class, principal).total for five_class in FiveClass]
    assert needed == sorted(needed)
    assert needed[-1] >= principal
