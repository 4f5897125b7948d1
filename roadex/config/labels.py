"""Numbers that labels, losses and scores share."""

from __future__ import annotations

# A pixel of a mask or connectivity map that is ignored: neither learnt nor scored.
IGNORE = 255
# What is learnt of roads with model.attributes, in the order of the model's channels.
ATTRIBUTE_NAMES = ("class", "surface", "lanes", "speed")
# The prefix of their labels' names, in crops and in the terms of the loss.
ATTRIBUTE = "attribute_"
