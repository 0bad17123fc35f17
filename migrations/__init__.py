"""迁移 · The two lines of migrations (the catalog's, the lenders') and the runner over all lenders."""
