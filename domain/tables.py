"""All tables of a lender's schema: importing this module fills the metadata. One line per module that declares tables."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData

from domain.kernel.table import TenantTable

MODULES = (
    "domain.configuration.agreement",
    "domain.configuration.calendar",
    "domain.configuration.company_account",
    "domain.configuration.template",
    "domain.configuration.document",
    "domain.configuration.loan_product",
    "domain.configuration.parameter",
    "domain.configuration.purpose",
    "domain.collateral.mortgage",
    "domain.collateral.repossession",
    "domain.customers.blacklist",
    "domain.customers.consent",
    "domain.customers.customer",
    "domain.customers.enterprise_customer",
    "domain.customers.individual_customer",
    "domain.customers.related_party",
    "domain.end_of_day",
    "domain.finance.accounting_period",
    "domain.finance.disbursement",
    "domain.finance.entrusted_fee",
    "domain.finance.entrusted_fund",
    "domain.finance.payment",
    "domain.finance.provision",
    "domain.finance.receipt",
    "domain.finance.refund",
    "domain.finance.repayment_registration",
    "domain.home.message",
    "domain.home.pending_task",
    "domain.kernel.audit",
    "domain.kernel.clock",
    "domain.kernel.command",
    "domain.kernel.feed",
    "domain.kernel.job",
    "domain.kernel.numbering",
    "domain.ledger.account",
    "domain.ledger.journal",
    "domain.ledger.proof.results",
    "domain.lending.loan.tables",
    "domain.lending.assignment",
    "domain.lending.entrusted_loan.tables",
    "domain.lending.interest_waiver",
    "domain.lending.loan_application",
    "domain.lending.loan_contract",
    "domain.lending.revolving_loan.tables",
    "domain.lending.survey_report",
    "domain.organization.credential",
    "domain.organization.department",
    "domain.organization.employee",
    "domain.organization.role",
    "domain.organization.session",
    "domain.post_loan.contract_amendment",
    "domain.post_loan.customer_account",
    "domain.post_loan.early_warning",
    "domain.post_loan.write_off",
    "domain.workflow.definition",
    "domain.workflow.instance",
)


def metadata() -> MetaData:
    """The metadata with every table in it."""
    for module in MODULES:
        import_module(module)
    return TenantTable.metadata
