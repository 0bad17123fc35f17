"""What the API looks like: types and inputs, nothing of how they are found."""
