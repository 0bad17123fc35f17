"""计算 · Calculation: every figure of a loan, pure: no database, no clock, no input or output. Money is integer fen."""
