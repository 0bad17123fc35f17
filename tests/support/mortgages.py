"""Mortgages for tests: made by the account manager, registered by the risk officer."""

from dataclasses import replace
from datetime import date
from decimal import Decimal as D
from typing import Any
from uuid import UUID

from domain.collateral import mortgage
from domain.collateral.mortgage import Asset, AssetType, Mortgage
from tests.support.actors import LenderAtWork

HOUSE = Asset(
    asset_type=AssetType.RESIDENTIAL,
    owner="张三",
    certificate_number="不动产权第0000001号",
    secured_amount=D("80000.00"),
    appraised_value=D("150000.00"),
    appraised_on=date(2025, 1, 1),
)


async def made(lender: LenderAtWork, loan_id: UUID, **changes: Any) -> Mortgage:
    """A mortgage that nobody has registered yet."""
    return await mortgage.create(lender.account_manager, asset=replace(HOUSE, **changes), loan_id=loan_id)


async def registered(lender: LenderAtWork, loan_id: UUID, **changes: Any) -> Mortgage:
    """An effective mortgage, registered today."""
    row = await made(lender, loan_id, **changes)
    async with lender.system.reading() as ctx:
        today = ctx.today
    return await mortgage.register(
        lender.risk_officer, mortgage_id=row.id, registration_number=f"证明-{row.number}", registered_on=today
    )
