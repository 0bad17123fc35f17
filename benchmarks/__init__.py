"""测量 · What makes lenders of a size and measures them (docs/speed.md)."""
