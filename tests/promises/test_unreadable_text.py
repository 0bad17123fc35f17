"""控制字符 · A text that cannot be stored is refused with its field, wherever it is typed (promise L5: never INTERNAL)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.kernel.audit import AuditEntry
from domain.kernel.context import Actor, ActorKind
from domain.kernel.table import uuid7
from domain.lending.loan_application import LoanApplication
from resolvers.kernel.plain_text import unreadable
from tests.acceptance.journey import Journey
from tests.promises.neighbours import Neighbour
from tests.promises.whole_schema import Leaf, leaves, roots, sampling, variables
from tests.support.client import Answer, Client
from xiaodai.auth.sessions import OPERATOR_PERMISSIONS

TYPED = [leaf for root in roots("Query", "Mutation") for leaf in leaves(root) if leaf.scalar in ("String", "JSON")]
SIGNS = ["\x00", "\x1b", "\x7f", "\x85"]
PAGES = ("after", "before")  # cursors are opaque, and refused as such


def test_there_is_much_to_type() -> None:
    assert len(TYPED) > 80
    assert {"decideTask.input.opinion", "publishWorkflowDefinition.input.nodes", "receipts.filter.search"} <= {
        leaf.name for leaf in TYPED
    }


def asker(here: Neighbour, leaf: Leaf) -> Client:
    """Somebody who may ask: of the lender's staff, or an operator of the platform."""
    if leaf.root.needs not in OPERATOR_PERMISSIONS:
        return here.almighty
    operator = Actor(kind=ActorKind.OPERATOR, id=uuid7(), name="root", permissions=OPERATOR_PERMISSIONS)
    nowhere: Any = None
    return here.api.acting("operator", replace(here.lender.system, lender=nowhere, actor=operator))


def refused_field(leaf: Leaf, answer: Answer) -> Any:
    """Which field an answer says was wrong."""
    assert answer.status == 200, answer.body
    if leaf.root.kind == "Query":
        assert answer.codes == ["BAD_USER_INPUT"], answer.body
        return answer.errors[0]["extensions"].get("field")
    assert not answer.errors, answer.body
    (payload,) = (answer.data or {}).values()
    (error,) = payload["userErrors"]
    assert error["code"] == "INVALID_INPUT", error
    return error["field"]


@pytest.mark.parametrize("leaf", [leaf for leaf in TYPED if leaf.path[-1] not in PAGES], ids=lambda leaf: leaf.name)
async def test_control_characters_are_refused_with_their_field(here: Neighbour, leaf: Leaf) -> None:
    ours = sampling(await here.ids() | here.work.get(leaf.root.name, {}))
    before, client = await here.lender.rows(AuditEntry), asker(here, leaf)
    for sign in SIGNS:
        text = f"甲{sign}乙"
        odd: list[Any] = [text] if leaf.scalar == "String" else [[{"name": text}], {"x": [text]}, {text: 1}]
        for value in odd:
            sent = variables(leaf.root, lambda at: value if at.path == leaf.path else ours(at), [leaf.path])  # noqa: B023
            field = refused_field(leaf, await client.ask(leaf.root.document(2), **sent))
            assert [part for part in field if not part.isdigit()][: len(leaf.path)] == list(leaf.path)
    assert await here.lender.rows(AuditEntry) == before, "nothing was done"


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ("甲\n乙\t丙\r\n👩‍👩‍👧\u202e", []),
        ("\x0b", [()]),
        ({"a": ["x", {"b": "\x00"}]}, [("a", "1", "b")]),
        ({"\x00": 1}, [()]),
        ([1, None, True, "\ud800"], [("3",)]),
    ],
)
def test_what_holds_control_characters(value: Any, paths: list[Any]) -> None:
    assert list(unreadable(value)) == paths


async def test_an_opinion_of_several_lines_is_kept(new_journey: Any) -> None:
    journey: Journey = await new_journey()
    application = await journey.reviewing(await journey.customer())
    await journey.decide("risk_officer", application, opinion="同意。\n\t金额见上。")
    (row,) = await journey.lender.rows(LoanApplication)
    assert row.state == "APPROVING"
