"""Many trainings as one command: which ones, how far they are, and where they run."""
