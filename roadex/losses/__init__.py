"""The losses of all tasks."""
