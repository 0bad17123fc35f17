"""总账 · The ledger: chart of accounts, vouchers, balances by account and day, proofs."""
