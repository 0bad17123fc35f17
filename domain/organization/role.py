"""角色 · Roles (F05): which permissions, whose rows, up to which amount, and which roles nobody holds together.

The built-in roles follow domain.md §1.1. A person holds the permissions of all of their roles and the widest data scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import String, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from domain.kernel.command import command, query
from domain.kernel.context import Context, DataScope
from domain.kernel.feed import Json
from domain.kernel.fresh_lender import FreshLender
from domain.kernel.permissions import PERMISSIONS, matching
from domain.kernel.personal_data import READ as PERSONAL_DATA
from domain.kernel.refusals import Duplicate, InvalidAmount, InvalidInput, NotFound
from domain.kernel.scope import Everyone, Reach
from domain.kernel.table import Keyed, MoneyColumn, choice, uuid7
from domain.organization.department import check_code, check_text


class Role(Keyed):
    """One role. `permissions` are names, sorted; `exclusive_with` holds ids of roles (either side suffices)."""

    __tablename__ = "roles"
    reach: ClassVar[Reach] = Everyone()

    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    permissions: Mapped[list[str]] = mapped_column(Json)
    data_scope: Mapped[DataScope] = mapped_column(choice(DataScope))
    approval_limit: Mapped[Decimal | None] = mapped_column(MoneyColumn)
    exclusive_with: Mapped[list[str]] = mapped_column(Json)
    built_in: Mapped[bool]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """One line of the table below. `apart_from`: codes of roles that the same person may not hold."""

    name: str
    scope: DataScope
    may: tuple[str, ...]
    apart_from: tuple[str, ...] = ()


# What everybody who signs in may do: read the organization and the configuration (but the company's bank accounts), and
# see to their own work.
EVERYBODY = (
    "organization.*.read", "organization.password.change", "home.*.read", "home.message.*",
    "configuration.agreement.read", "configuration.calendar.read", "configuration.loan_product.read",
    "configuration.parameter.read", "configuration.purpose.read", "configuration.template.read",
    "lending.repayment_plan.read",
)  # fmt: skip
# Everybody who works with loans reads customers, applications, contracts, loans and what was paid on them.
LOANS = (
    *EVERYBODY, "customers.*.read", "lending.*.read", "post_loan.*.read", "workflow.*.read", "finance.disbursement.read",
    "collateral.*.read",
    "finance.receipt.read", "finance.refund.read", "finance.entrusted_fund.read", "finance.entrusted_fee.read",
)  # fmt: skip
DECIDE = ("home.pending_task.*",)  # take, pass on and decide tasks that are offered to them
BOOKS = ("finance.*.read", "configuration.company_account.read", "end_of_day.*.read")
# Whoever brings facilities about asks for them, draws on them, and freezes them at once; reviews are for others.
FACILITIES = tuple(f"lending.credit_facility.{verb}" for verb in (
    "apply", "resubmit", "withdraw", "draw", "change_limit", "freeze", "unfreeze",
))  # fmt: skip
APPROVERS = ("BUSINESS_MANAGER", "RISK_OFFICER", "GENERAL_MANAGER", "COMMITTEE_MEMBER")

BUILT_IN: dict[str, BuiltIn] = {
    "TENANT_ADMIN": BuiltIn(
        "系统管理员", DataScope.TENANT,
        (*LOANS, *BOOKS, "organization.*.*", "configuration.*.*", "workflow.definition.*", "end_of_day.*.*"),
        apart_from=("CASHIER", "ACCOUNTANT", *APPROVERS),
    ),
    "ACCOUNT_MANAGER": BuiltIn(
        "客户经理", DataScope.SELF,
        (*LOANS, *DECIDE, PERSONAL_DATA, "customers.*.create", "customers.*.update", "customers.consent.*",
         "lending.loan_application.*", "lending.survey_report.*", "lending.loan_contract.*", "lending.attachment.*",
         "lending.interest_waiver.request", "lending.interest_waiver.withdraw", "lending.entrusted_contract.create",
         "finance.refund.request",
         "finance.refund.cancel", "post_loan.customer_account.*",
         "post_loan.contract_amendment.*", "post_loan.early_warning.*", "collateral.mortgage.create",
         "collateral.mortgage.request_release", *FACILITIES),
        apart_from=("RISK_OFFICER", "COMMITTEE_MEMBER", "GENERAL_MANAGER"),
    ),
    "BUSINESS_MANAGER": BuiltIn(
        "业务主管", DataScope.DEPARTMENT_TREE,
        (*LOANS, *DECIDE, PERSONAL_DATA, "customers.customer.entrust", "lending.assignment.*",
         "lending.loan_application.withdraw", "post_loan.early_warning.*", *FACILITIES),
    ),
    "RISK_OFFICER": BuiltIn(
        "风控专员", DataScope.TENANT,
        (*LOANS, *DECIDE, PERSONAL_DATA, "customers.blacklist.*", "post_loan.early_warning.*",
         "collateral.mortgage.create", "collateral.mortgage.register",
         "lending.credit_facility.freeze", "lending.credit_facility.unfreeze", "lending.credit_facility.review"),
    ),
    "GENERAL_MANAGER": BuiltIn(
        "总经理", DataScope.TENANT,
        (*LOANS, *BOOKS, *DECIDE, PERSONAL_DATA, "configuration.parameter.approve", "post_loan.early_warning.*",
         "lending.credit_facility.freeze", "lending.credit_facility.review"),
    ),
    "COMMITTEE_MEMBER": BuiltIn("贷审会委员", DataScope.TENANT, (*LOANS, *DECIDE, PERSONAL_DATA)),
    "CASHIER": BuiltIn(
        "出纳", DataScope.TENANT,
        (*LOANS, "configuration.company_account.read", "finance.disbursement.pay",
         "finance.disbursement.ask_bank_again", "finance.receipt.enter", "lending.attachment.upload",
         "finance.receipt.record_recovery", "finance.refund.request", "finance.refund.cancel", "finance.refund.pay",
         "finance.refund.ask_bank_again", "finance.entrusted_fund.record", "finance.entrusted_fund.return",
         "finance.entrusted_fee.record", "finance.entrusted_fee.settle"),
        apart_from=("ACCOUNTANT",),
    ),
    "ACCOUNTANT": BuiltIn(
        "会计", DataScope.TENANT,
        (*LOANS, *BOOKS, *DECIDE, "finance.disbursement.review", "finance.disbursement.cancel",
         "finance.disbursement.confirm", "finance.refund.request", "finance.refund.cancel", "finance.refund.confirm",
         "finance.receipt.register", "finance.receipt.reject", "finance.receipt.request_reversal",
         "finance.entrusted_fund.confirm", "finance.entrusted_fund.reject", "finance.entrusted_fee.confirm",
         "finance.provision.*", "finance.accounting_period.*", "configuration.company_account.*", "end_of_day.*.*"),
    ),
    "POST_LOAN_OFFICER": BuiltIn(
        "贷后专员", DataScope.TENANT,
        (*LOANS, PERSONAL_DATA, "home.pending_task.*", "post_loan.*.*", "collateral.*.*", "lending.attachment.upload",
         "lending.interest_waiver.request", "lending.interest_waiver.withdraw", "lending.credit_facility.freeze"),
    ),
    "COLLECTOR": BuiltIn("催收专员", DataScope.TENANT, (*LOANS, PERSONAL_DATA, "post_loan.early_warning.*")),
    "LEGAL": BuiltIn("法务", DataScope.TENANT, (*LOANS, *DECIDE, PERSONAL_DATA)),
    "ARCHIVIST": BuiltIn("档案管理员", DataScope.TENANT, LOANS),
    "AUDITOR": BuiltIn(
        "稽核", DataScope.TENANT, (*LOANS, *BOOKS, "audit.*.read"),
        apart_from=("TENANT_ADMIN", "ACCOUNT_MANAGER", "CASHIER", "ACCOUNTANT", *APPROVERS),
    ),
}  # fmt: skip


def permitted(patterns: Sequence[str]) -> list[str]:
    """The declared permissions that the patterns name. Plain personal data only where it is named itself."""
    named = matching(set(patterns))
    return sorted(named if PERSONAL_DATA in patterns else named - {PERSONAL_DATA})


def exclusive_pair(roles: Iterable[Any]) -> tuple[str, str] | None:
    """The codes of two of these roles that one person may not hold together, or None."""
    held = sorted(roles, key=lambda role: role.code)
    for index, one in enumerate(held):
        for other in held[index + 1 :]:
            if str(other.id) in one.exclusive_with or str(one.id) in other.exclusive_with:
                return one.code, other.code
    return None


def check_scope(scope: DataScope) -> None:
    """CUSTOM is refused (INVALID_INPUT) as long as nobody can say which departments it means."""
    if scope is DataScope.CUSTOM:
        raise InvalidInput(
            "dataScope", zh="自定义部门范围尚不可用。", en="A scope of chosen departments is not available yet."
        )


def check_permissions(permissions: Iterable[str]) -> list[str]:
    """The names, sorted and once each. Raises INVALID_INPUT with the first one that does not exist for staff."""
    wanted = sorted(set(permissions))
    for permission in wanted:
        if permission not in PERMISSIONS or permission.startswith("identity."):
            raise InvalidInput(
                "permissions",
                zh="没有名为 {permission} 的权限。",
                en="There is no permission called {permission}.",
                permission=permission,
            )
    return wanted


@command("organization.role.create")
async def create(
    ctx: Context,
    *,
    code: str,
    name: str,
    permissions: Sequence[str],
    data_scope: DataScope,
    approval_limit: Decimal | None = None,
    exclusive_with: Sequence[UUID] = (),
) -> Role:
    """A role of the lender's own. `approval_limit` in CNY.

    Raises INVALID_INPUT (code, name, an unknown permission, scope CUSTOM), INVALID_AMOUNT, DUPLICATE (code),
    NOT_FOUND (a role in `exclusive_with`).
    """
    check_code("code", code)
    check_scope(data_scope)
    if approval_limit is not None and approval_limit < 0:
        raise InvalidAmount("approvalLimit", amount=approval_limit)
    await load(ctx, exclusive_with, "exclusiveWith")
    role = ctx.add(
        Role(
            code=code,
            name=check_text("name", name),
            permissions=check_permissions(permissions),
            data_scope=data_scope,
            approval_limit=approval_limit,
            exclusive_with=sorted({str(key) for key in exclusive_with}),
            built_in=False,
        )
    )
    try:
        await ctx.session.flush()
    except IntegrityError as error:
        raise Duplicate("code", value=code) from error
    ctx.announce("organization.role.created", role)
    return role


async def load(ctx: Context, role_ids: Sequence[UUID], field: str) -> list[Role]:
    """The roles by their ids. Raises NOT_FOUND when one of them does not exist."""
    wanted = set(role_ids)
    found = list(await ctx.session.scalars(select(Role).where(Role.id.in_(wanted))))
    if len(found) != len(wanted):
        raise NotFound(field)
    return found


@query("organization.role.read")
async def all_roles(ctx: Context, *, columns: Sequence[Any]) -> Sequence[Any]:
    """Built-in roles first, then the lender's own, each in the order of their codes."""
    return (await ctx.connection.execute(select(*columns).order_by(Role.built_in.desc(), Role.code))).all()


async def fill(connection: AsyncConnection, request: FreshLender) -> None:
    """The built-in roles with the permissions that this release declares."""
    ids = {code: uuid7() for code in BUILT_IN}
    rows = [
        {
            "id": ids[code],
            "code": code,
            "name": role.name,
            "permissions": permitted(role.may),
            "data_scope": role.scope,
            "exclusive_with": [str(ids[other]) for other in role.apart_from],
            "built_in": True,
            "created_at": request.moment,
        }
        for code, role in BUILT_IN.items()
    ]
    await connection.execute(insert(Role), rows)
