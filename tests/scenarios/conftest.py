"""The lender of the stories: the one of the functions' acceptance, opened on 2026-01-15, with a bank that answers."""

from tests.acceptance.conftest import bank, journey, lender

__all__ = ["bank", "journey", "lender"]
