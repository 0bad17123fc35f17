"""预演 · Previews as the API shows them. Mutations that change loans take `preview: true` and answer one."""

from __future__ import annotations

from domain.lending.loan import preview
from domain.lending.loan.preview import LoanChange as Change
from resolvers.kernel import answers_by_key
from resolvers.lending.loan import installment
from schema.kernel import Money
from schema.lending.loan import Loan
from schema.lending.loan_preview import (
    ChangedInstallment,
    LoanChange,
    LoanChangePreview,
    PreviewedEntry,
    PreviewedMessage,
    PreviewedVoucher,
)
from schema.organization.employee import Employee


def shown(found: preview.Preview) -> LoanChangePreview:
    """A preview as the API shows it."""
    return LoanChangePreview(
        final=found.final,
        loans=[_change(change) for change in found.loans],
        vouchers=[
            PreviewedVoucher(
                kind=posted.kind,
                summary=posted.summary,
                value_date=posted.value_date,
                entries=[
                    PreviewedEntry(account=line.account, debit=Money(line.debit), credit=Money(line.credit))
                    for line in posted.lines
                ],
            )
            for posted in found.vouchers
        ],
        announced=list(found.announced),
        messages=[
            PreviewedMessage(recipient_id=told.recipient_id, title=told.title, body=told.body)
            for told in found.messages
        ],
    )


def _change(change: Change) -> LoanChange:
    return LoanChange(
        loan_id=change.loan_id,
        comparison=change.comparison,
        state_before=change.state_before,
        state_after=change.state_after,
        installments=[
            ChangedInstallment(
                seq=row.seq,
                before=installment(row.before) if row.before else None,
                after=installment(row.after) if row.after else None,
            )
            for row in change.comparison.installments()
        ],
    )


answers_by_key("LoanChange.loan", Loan)
answers_by_key("PreviewedMessage.recipient", Employee)
