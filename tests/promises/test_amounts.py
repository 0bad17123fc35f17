"""金额 · No amount and no rate that cannot be gets in, wherever the API takes one (promise M10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from schema.kernel import scalars
from tests.identity.operators import new_operator
from tests.promises.neighbours import Neighbour
from tests.promises.whole_schema import Leaf, leaves, roots, sampling, variables
from tests.support.actors import PASSWORD
from tests.support.client import Answer, Client

MALFORMED: dict[str, list[Any]] = {
    "Money": ["NaN", "Infinity", "1e30", "1.234", "1", "", "1,000.00", "9" * 17 + ".00", 1, 1.5, True],
    "Rate": ["NaN", "-Infinity", "1e30", "0.123456789", "", "12%", "99999", 1, 0.12],
}
OF_NO_MONEY = {"INVALID_AMOUNT", "INVALID_INPUT", "PRODUCT_RULE_VIOLATED", "UPFRONT_DEDUCTION", "COST_CAP_EXCEEDED"}
A_SEARCH = {"loans.filter.principal.min", "loans.filter.principal.max"} | {
    f"{root}.filter.{name}"
    for root in ("creditFacilities", "creditFacilityTotals")
    for name in ("limit.min", "limit.max", "minUsageRate")
}
MAY_BE_ZERO = A_SEARCH | {
    "repaymentPlan.input.annualRate",  # interest-free loans are loans
    "createLoanProduct.input.minRate", "reviseLoanProduct.input.minRate", "createLoanApplication.input.annualRate",
    "updateLoanApplication.input.annualRate", "decideTask.input.terms.annualRate",
    "requestAmendment.input.annualRate", "amendmentPreview.input.annualRate",
    "applyCreditFacility.input.annualRate", "resubmitCreditFacility.input.annualRate",
    "createLoanProduct.input.prepaymentFeeRate", "reviseLoanProduct.input.prepaymentFeeRate",  # no fee
    "repaymentPlan.input.customPrincipal",  # a period without principal
    "createRole.input.approvalLimit",  # may approve nothing
    "createCompanyAccount.input.openingBalance", "createIndividualCustomer.input.monthlyIncome",
    "createEnterpriseCustomer.input.registeredCapital", "submitSurveyReport.input.monthlyIncome",
    "submitSurveyReport.input.monthlyDebtService",
}  # fmt: skip
ANNUAL = {"annualRate", "maxRate"}
A_CALCULATION = {"repaymentPlan.input.annualRate"}  # says what any rate would cost
A_DRAFT = {"createLoanApplication.input.annualRate", "updateLoanApplication.input.annualRate"}  # submitting is refused
MATTERS = {
    "decideTask.input.decision": "APPROVE",
    "repaymentPlan.input.method": "CUSTOM",
}


def amounts() -> list[Leaf]:
    """Everything of the API that takes money or a rate."""
    fields = [leaf for root in roots("Query", "Mutation") for leaf in leaves(root)]
    return [leaf for leaf in fields if leaf.scalar in MALFORMED]


@dataclass
class Askers:
    """Whoever may do it: an operator, one who did not make it, or anybody."""

    here: Neighbour
    ids: dict[str, str]
    anybody: Client
    checker: Client
    operator: Client

    async def sent(self, leaf: Leaf, value: Any) -> Answer:
        """A request that is right but for one amount."""
        ours = sampling(self.ids | self.here.work.get(leaf.root.name, {}))
        given = variables(
            leaf.root, lambda one: value if one.path == leaf.path else MATTERS.get(one.name) or ours(one), [leaf.path]
        )
        if leaf.path[-1] == "ratio":
            del given["input"]["amount"]  # one of the two
        others = {"provisionTenant": self.operator, "decideTask": self.checker, "reviewCreditFacility": self.checker}
        client = others.get(leaf.root.name, self.anybody)
        return await client.ask(leaf.root.document(2), **given)


@pytest.fixture(scope="session")
async def askers(here: Neighbour) -> Askers:
    given = {"username": await new_operator(here.lender.platform), "password": PASSWORD}
    sign_in = "mutation($i: SignInInput!) { signIn(input: $i) { token userErrors { code } } }"
    token = (await here.api.anonymous.run(sign_in, i=given))["token"]
    return Askers(here, await here.ids(), here.almighty, here.almighty_checker, here.api.with_token(token))


def refused(leaf: Leaf, answer: Answer) -> bool:
    """Because of the amount, and not for another reason."""
    if answer.errors:
        return set(answer.codes) == {"BAD_USER_INPUT"}
    value = answer.data[leaf.root.name]
    errors = value.get("userErrors", []) if isinstance(value, dict) else []
    return bool({error["code"] for error in errors} & OF_NO_MONEY)


async def let_in(askers: Askers) -> list[str]:
    """The malformed values that are not refused as such, by argument."""
    found = []
    for leaf in amounts():
        for value in MALFORMED[leaf.scalar]:
            answer = await askers.sent(leaf, value)
            if set(answer.codes) != {"BAD_USER_INPUT"}:
                found.append(f"{leaf.name}: {value!r}")
    return found


async def test_what_is_no_amount_is_refused(askers: Askers) -> None:
    assert await let_in(askers) == []


async def test_a_careless_reader_is_found_out(askers: Askers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scalars, "_text", lambda value, _form, _wanted: str(value))
    chosen = [leaf for leaf in amounts() if leaf.name == "enterReceipt.input.amount"]
    monkeypatch.setattr("tests.promises.test_amounts.amounts", lambda: chosen)
    assert await let_in(askers) != []


async def test_less_than_nothing_and_nothing_are_refused(askers: Askers) -> None:
    assert {leaf.name for leaf in amounts()} >= MAY_BE_ZERO
    found = []
    for leaf in amounts():
        values = ([] if leaf.name in A_SEARCH else ["-0.01"]) + ([] if leaf.name in MAY_BE_ZERO else ["0.00"])
        for value in values:
            answer = await askers.sent(leaf, value)
            if not refused(leaf, answer):
                found.append(f"{leaf.name}: {value} {answer.body}"[:400])
    assert found == []


async def test_a_rate_over_the_cap_is_refused(askers: Askers) -> None:
    found = []
    for leaf in amounts():
        if leaf.path[-1] in ANNUAL and leaf.name not in A_CALCULATION | A_DRAFT:
            answer = await askers.sent(leaf, "0.36")
            if not refused(leaf, answer):
                found.append(f"{leaf.name}: {answer.body}"[:400])
    assert found == []
