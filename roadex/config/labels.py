"""Numbers that labels, losses and scores share."""

from __future__ import annotations

# A pixel of a mask or connectivity map of which nothing is known: neither learnt nor scored.
IGNORE = 255
