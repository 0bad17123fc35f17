"""All tables of a lender's schema: importing this module fills the metadata. One line per module that declares tables."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData

from domain.kernel.table import TenantTable

MODULES = (
    "domain.home.pending_task",
    "domain.kernel.audit",
    "domain.kernel.clock",
    "domain.kernel.command",
    "domain.kernel.feed",
    "domain.kernel.job",
    "domain.kernel.numbering",
    "domain.ledger.account",
    "domain.ledger.journal",
    "domain.organization.department",
    "domain.organization.role",
    "domain.organization.employee",
    "domain.organization.credential",
    "domain.organization.session",
    "domain.workflow.definition",
    "domain.workflow.instance",
)


def metadata() -> MetaData:
    """The metadata with every table in it."""
    for module in MODULES:
        import_module(module)
    return TenantTable.metadata
