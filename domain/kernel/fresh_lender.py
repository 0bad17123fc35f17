"""新机构 · What is known about a lender while it is being filled with its first rows.

Each module that a fresh lender needs rows from has `async def fill(connection, request: FreshLender)`; `xiaodai/fill.py`
calls them in order. The connection is the owner's, with the search path on the lender's schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshLender:
    """What the operator asked for, and the lender's moment for `created_at`. Money in CNY."""

    lender_id: UUID
    code: str
    name: str
    licence_type: str
    net_assets: Decimal
    open_on: date
    sandbox: bool
    admin_username: str
    admin_password_hash: str
    moment: datetime
