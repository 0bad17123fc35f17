"""外部机构 · The outside world: one folder for each party, with its port and what implements it."""
