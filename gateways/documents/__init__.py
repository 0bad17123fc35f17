"""文书 · Prints documents from templates."""
