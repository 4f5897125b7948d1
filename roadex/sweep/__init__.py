"""Many trainings as one command: which there are, what is done of each, and where they run."""
