"""租户 · Whose data it is: the catalog of lenders and the only door into a lender's schema."""
