"""贷款引擎 · The loan engine: terms and events folded into positions made of straight lines. Pure, without a clock."""
