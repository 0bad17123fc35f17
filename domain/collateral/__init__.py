"""担保抵押 · Security for loans: mortgages and what is taken over from them."""
