"""租户 · One lender as the catalog knows it: the value that is handed through every layer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from tenancy.naming import role_of, schema_of

PROVISIONING, ACTIVE, SUSPENDED, CLOSED = "PROVISIONING", "ACTIVE", "SUSPENDED", "CLOSED"


@dataclass(frozen=True, slots=True)
class Lender:
    """A snapshot; the catalog's cache lets it grow at most 1.5 s old."""

    id: UUID
    code: str
    name: str
    status: str
    licence_type: str
    sandbox: bool
    business_date: date
    created_at: datetime
    installation: str
    password_generation: int = 1
    server: str = "main"

    @property
    def schema(self) -> str:
        return schema_of(self.code)

    @property
    def role(self) -> str:
        return role_of(self.installation, self.code)
