"""The losses of the two tasks."""
