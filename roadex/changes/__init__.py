"""Two road networks of one place, segment by segment: what one has and the other lacks."""
