"""Roads as vertices and the pairs of them that a road joins."""
