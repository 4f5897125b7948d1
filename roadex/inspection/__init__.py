"""A look at a dataset before anything is trained on it."""
