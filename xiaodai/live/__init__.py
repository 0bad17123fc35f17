"""实时 · The live side of one process: one reader of each lender's feed, shared by all that follow it."""
