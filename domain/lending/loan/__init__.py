"""借据 · The loan (F13): events, the fold of them as stored rows, their vouchers, and every figure of any day."""

from domain.lending.loan.book import lock, open_loan, record
from domain.lending.loan.figures import due, quote
from domain.lending.loan.tables import EventType, Loan, LoanEventRow, LoanState

__all__ = ["EventType", "Loan", "LoanEventRow", "LoanState", "due", "lock", "open_loan", "quote", "record"]
