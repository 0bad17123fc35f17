"""Departments: rules, commands."""

import pytest

from domain.kernel.context import DataScope
from domain.kernel.refusals import Duplicate, InvalidInput, NotFound
from domain.kernel.table import uuid7
from domain.organization import department
from domain.organization.department import Department, check_code, check_text
from tests.support.actors import LenderAtWork

# ------------------------------------------------------------------ rules


@pytest.mark.parametrize("code", ["", "a b", "部门", "a/b", "a" * 41, "x%"])
def test_a_code_that_could_not_stand_in_a_path_is_refused(code):
    with pytest.raises(InvalidInput):
        check_code("code", code)


@pytest.mark.parametrize("text", ["", "   ", "a\nb", "a\0", "长" * 101])
def test_a_name_is_one_visible_line(text):
    with pytest.raises(InvalidInput):
        check_text("name", text)


def test_blanks_around_a_name_go_away():
    assert check_text("name", "  信贷部 ") == "信贷部"


# ------------------------------------------------------------------ commands


async def test_without_a_parent_it_lies_under_the_root(lender: LenderAtWork):
    made = await department.create(lender.tenant_admin, code="CD", name="成都分部")
    below = await department.create(lender.tenant_admin, code="CD-1", name="一部", parent_id=made.id, type="SALES")
    assert (made.path, below.path, below.type) == ("ROOT/CD/", "ROOT/CD/CD-1/", "SALES")
    root = (await lender.rows(Department, Department.parent_id.is_(None)))[0]
    assert (made.parent_id, root.code, root.name) == (root.id, "ROOT", lender.lender.name)


async def test_the_tree_begins_with_the_root(lender: LenderAtWork):
    await department.create(lender.tenant_admin, code="A", name="甲")
    async with lender.auditor.reading() as ctx:
        rows = await department.tree(ctx, columns=[Department.code])
        assert [row.code for row in rows] == ["ROOT", "A", "SALES"]
        everything = await lender.rows(Department)
        root = next(row.id for row in everything if row.code == "ROOT")
        leaf = next(row.id for row in everything if row.code == "A")
        found = await department.by_parent(ctx, [root, leaf], [Department.code])
    assert {key: [row.code for row in rows] for key, rows in found.items()} == {root: ["A", "SALES"], leaf: []}


async def test_a_code_is_taken_once(lender: LenderAtWork):
    await department.create(lender.tenant_admin, code="CD", name="成都分部")
    with pytest.raises(Duplicate) as refused:
        await department.create(lender.tenant_admin, code="CD", name="另一个")
    assert (refused.value.field, refused.value.params) == (("code",), {"value": "CD"})
    assert len(await lender.rows(Department)) == 3


async def test_an_unknown_parent_is_not_found(lender: LenderAtWork):
    with pytest.raises(NotFound) as refused:
        await department.create(lender.tenant_admin, code="X", name="无", parent_id=uuid7())
    assert refused.value.field == ("parentId",)


async def test_a_head_is_appointed_and_let_go(lender: LenderAtWork):
    (sales,) = await lender.rows(Department, Department.code == "SALES")
    head = lender.business_manager.actor.id
    for wanted in (head, None):
        await department.appoint(lender.tenant_admin, department_id=sales.id, employee_id=wanted)
        assert (await lender.rows(Department, Department.id == sales.id))[0].head_id == wanted
    with pytest.raises(NotFound) as refused:
        await department.appoint(lender.tenant_admin, department_id=sales.id, employee_id=uuid7())
    assert refused.value.field == ("employeeId",)


async def test_the_tree_is_at_most_ten_deep(lender: LenderAtWork):
    parent = None
    for level in range(2, 11):
        parent = (await department.create(lender.tenant_admin, code=f"L{level}", name="层", parent_id=parent)).id
    with pytest.raises(InvalidInput, match="INVALID_INPUT"):
        await department.create(lender.tenant_admin, code="L11", name="层", parent_id=parent)


async def test_the_scope_of_a_department_tree_follows_the_path(lender: LenderAtWork):
    """`ROOT/SALES/` covers what lies below, and not a neighbour whose code begins alike."""
    sales = (await lender.rows(Department, Department.code == "SALES"))[0].id
    below = await department.create(lender.tenant_admin, code="SALES-1", name="一组", parent_id=sales)
    beside = await department.create(lender.tenant_admin, code="SALES-2", name="旁")
    manager = lender.business_manager.actor
    assert (manager.scope, manager.department_path) == (DataScope.DEPARTMENT_TREE, "ROOT/SALES/")
    seen = await lender.rows(Department, Department.path.startswith(manager.department_path, autoescape=True))
    assert {row.id for row in seen} == {sales, below.id}
    assert beside.id not in {row.id for row in seen}
